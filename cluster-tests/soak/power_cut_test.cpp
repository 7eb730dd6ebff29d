// The machine loses its power: the pool is gone, and so is what no disk was made to keep. With durable ingest
// every line that had been read for more than a moment is analysed after the restart; without it they are
// lost, which shows that the test can tell.

#include <thread>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/harness/scratch_mount.hpp"
#include "cluster-tests/soak/load.hpp"

namespace picket::soak {
namespace {

constexpr std::uint64_t lines_of_each = 300;

class PowerCut : public ::testing::Test {
protected:
  void SetUp() override {
    auto image = harness::scratch_mount::ext4(dir.path() / "data", dir.path() / "disk.img", 256 << 20U);
    if (!image) GTEST_SKIP() << "needs a file system that can be cut off: " << to_string(image.error());
    disk = std::move(*image);
    // Nothing is finished before the cut: the journal is full from the beginning.
    auto small = harness::scratch_mount::tmpfs(dir.path() / "logs", 64 << 10U);
    if (!small) GTEST_SKIP() << to_string(small.error());
    journal_disk = std::move(*small);
  }

  harness::settings with(bool durable) const {
    return {{"ingest.durable", durable ? "yes" : "no"},
            {"ingest.listen", address},
            {"paths.runtime_dir", (dir.path() / "run").string()},
            {"paths.journal_dir", (dir.path() / "logs").string()},
            {"limits.disk_free_min_bytes", "0"}};
  }

  /// Sends, cuts, starts again; how many of the lines are analysed in the end.
  agentsim::verdict cut_and_restart(bool durable) {
    harness::node_process node{dir.path(), with(durable)};
    auto started = node.start();
    EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
    auto options = numbered_load(dir.path(), node.agents_text(), node.enrollment_text(), 5, 1'000);
    options.lines_per_agent = lines_of_each;
    options.say_goodbye = false;
    agentsim::simulator simulator{options};
    EXPECT_TRUE(simulator.prepare());
    auto report = simulator.run();
    EXPECT_TRUE(report);
    auto all = static_cast<double>(report->sent);
    EXPECT_TRUE(harness::eventually([&] { return node.metric("picket_ingest_records_total") >= all; }));
    if (durable) wait_until_stored(node);
    node.kill();
    std::filesystem::remove_all(dir.path() / "run");
    auto cut = disk->power_cut();
    EXPECT_TRUE(cut) << (cut ? "" : to_string(cut.error()));
    EXPECT_TRUE(journal_disk->resize(64 << 20U));
    started = node.start();
    EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
    EXPECT_TRUE(harness::eventually([&] { return node.metric("picket_overflow_batches") == 0; }));
    EXPECT_EQ(node.stop(), 0);
    agentsim::verifier checker{"soak"};
    agentsim::file_follower follower{dir.path() / "logs/archives/archives.json"};
    EXPECT_TRUE(follower.read_on(checker));
    return checker.judge(simulator.sent_by_agent());
  }

  /// Two rounds of the overflow's thread without anything new.
  static void wait_until_stored(const harness::node_process& node) {
    double seen = -1;
    auto since_ms = steady_clock_ms();
    EXPECT_TRUE(harness::eventually([&] {
      auto now = node.metric("picket_overflow_stored_batches_total");
      if (now != seen) since_ms = steady_clock_ms();
      seen = now;
      return seen > 0 && steady_clock_ms() - since_ms > 2'500;
    }));
  }

  testing::scratch_directory dir;
  std::string address = free_address();
  std::unique_ptr<harness::scratch_mount> journal_disk;
  std::unique_ptr<harness::scratch_mount> disk;
};

TEST_F(PowerCut, DurableIngestKeepsWhatWasRead) {
  auto found = cut_and_restart(true);
  EXPECT_EQ(found.found, 5 * lines_of_each) << agentsim::to_string(found);
  EXPECT_EQ(found.wrong_id, 0u);
  EXPECT_EQ(found.out_of_order, 0u);
  std::printf("power cut, durable: %s\n", agentsim::to_string(found).c_str());
}

TEST_F(PowerCut, WithoutItTheyAreLost) {
  auto found = cut_and_restart(false);
  EXPECT_LT(found.found, 5 * lines_of_each) << agentsim::to_string(found);
  std::printf("power cut, not durable: lost %llu\n", static_cast<unsigned long long>(found.lost));
}

} // namespace
} // namespace picket::soak
