// A journal whose disk fills up under load: the node says so, loses and doubles nothing, and goes on by
// itself.

#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/scratch_mount.hpp"
#include "cluster-tests/harness/seed.hpp"

namespace picket {
namespace {

namespace fs = std::filesystem;
using harness::eventually;
using harness::node_process;
using ::testing::HasSubstr;

constexpr std::uint64_t disk_bytes = 1'500'000;

class FullDisk : public ::testing::Test {
protected:
  void SetUp() override {
    fs::create_directories(disk);
    auto mounted = harness::scratch_mount::tmpfs(disk, disk_bytes);
    if (!mounted) GTEST_SKIP() << "no file system of its own: " << to_string(mounted.error());
    mount = std::move(*mounted);
    node = std::make_unique<node_process>(dir.path() / "node",
                                          harness::settings{{"paths.journal_dir", (disk / "logs").string()},
                                                            {"limits.disk_free_min_bytes", "200000"},
                                                            {"journal.sync", "strict"},
                                                            {"agents.ack_interval_ms", "1000"}});
    harness::seed_agent(node->directory(), harness::transcript_agent());
    ASSERT_TRUE(node->start());
    connect();
  }

  void connect() {
    agent = std::make_unique<agentsim::blocking_agent>(harness::transcript_agent());
    ASSERT_TRUE(agent->connect(node->agents()));
    auto ack = agent->startup();
    ASSERT_TRUE(ack) << to_string(ack.error());
  }

  void send(int count) {
    for (int i = 0; i < count; ++i, ++sent)
      ASSERT_TRUE(agent->send_event("/var/log/app.log", text_of(sent)));
  }
  static std::string text_of(int number) {
    return "line " + std::to_string(number) + " " + std::string(300, '.') + " end";
  }

  /// Sends until the journal has no room left.
  void fill() {
    ASSERT_TRUE(eventually([&] {
      if (sent < 20'000) send(100);
      return node->metric("picket_journal_failures_total") > 0;
    })) << "the disk never filled; it has "
        << fs::space(disk).available << " bytes, and " << sent << " lines were sent";
  }

  /// The agent's lines in the order in which they stand in the archives, over all files.
  std::vector<std::string> lines() const {
    std::vector<std::string> all;
    std::ifstream order{disk / "logs" / "archives" / "archives.json.order"};
    for (std::string name; std::getline(order, name);) {
      std::ifstream file{disk / "logs" / "archives" / name};
      for (std::string line; std::getline(file, line);) {
        auto event = nlohmann::json::parse(line, nullptr, false);
        if (event.is_object() && event.value("full_log", "").rfind("line ", 0) == 0)
          all.push_back(event["full_log"]);
      }
    }
    return all;
  }

  double free_bytes() const { return node->metric("picket_disk_free_bytes{of=\"journal\"}"); }

  testing::scratch_directory dir;
  fs::path disk = dir.path() / "disk";
  std::unique_ptr<harness::scratch_mount> mount;
  std::unique_ptr<node_process> node;
  std::unique_ptr<agentsim::blocking_agent> agent;
  int sent = 0;
};

TEST_F(FullDisk, TheNodeSaysSoLosesNothingAndGoesOn) {
  EXPECT_EQ(node->health("/health/ready/ingest"), 200) << node->log();
  fill();
  EXPECT_TRUE(eventually([&] { return node->health("/health/ready/ingest") == 503; }));
  EXPECT_TRUE(eventually([&] { return node->has_logged("event=not-ready"); }));
  EXPECT_TRUE(node->has_logged("event=journal-failed"));
  EXPECT_EQ(node->metric("picket_ingest_ready"), 0);
  EXPECT_LT(free_bytes(), 200'000);
  EXPECT_EQ(node->health("/health/ready/control"), 200) << "the registry has a disk of its own";
  auto status = node->api("GET", "/picket/node/status");
  ASSERT_TRUE(status);
  const auto& findings = (*status)["data"]["findings"];
  ASSERT_FALSE(findings.empty());
  EXPECT_THAT(findings[0]["what"].get<std::string>(), HasSubstr("left on the disk of the journal directory"));
  EXPECT_FALSE(findings[0]["mend"].get<std::string>().empty());
  EXPECT_GT((*status)["data"]["journal"]["waiting_batches"], 0);

  send(500); // the pool takes it
  ASSERT_TRUE(agent->keepalive()) << "acknowledgements do not wait for the disk";
  auto failures = node->metric("picket_journal_failures_total");
  EXPECT_TRUE(eventually([&] { return node->metric("picket_journal_failures_total") >= failures + 2; }))
      << "it tries again and again";

  ASSERT_TRUE(mount->resize(100'000'000));
  EXPECT_TRUE(eventually([&] { return node->has_logged("event=journal-recovered"); }));
  EXPECT_TRUE(eventually([&] { return node->health("/health/ready/ingest") == 200; }));
  EXPECT_TRUE(eventually([&] { return node->has_logged("event=ready"); }));
  send(100);
  EXPECT_TRUE(eventually([&] { return lines().size() >= static_cast<std::size_t>(sent); }));
  auto found = lines();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(sent)) << "each once";
  for (int i = 0; i < sent; ++i)
    ASSERT_EQ(found[static_cast<std::size_t>(i)], text_of(i)) << "in order";
  EXPECT_EQ(node->metric("picket_journal_waiting_batches"), 0);
  EXPECT_EQ(node->stop(), 0);
}

TEST_F(FullDisk, AKillWhileItIsFullLosesNothingEither) {
  fill();
  send(200);
  ASSERT_TRUE(eventually([&] { return node->metric("picket_ingest_records_total") >= sent; }))
      << node->metric("picket_ingest_records_total") << " of " << sent;
  node->kill();
  ASSERT_TRUE(node->start()) << "a full disk is no reason not to start: the pool has room";
  EXPECT_EQ(node->health("/health/ready/ingest"), 503);
  connect();
  send(100);
  ASSERT_TRUE(mount->resize(100'000'000));
  std::set<std::string> distinct;
  EXPECT_TRUE(eventually([&] {
    auto found = lines();
    distinct = {found.begin(), found.end()};
    return distinct.size() >= static_cast<std::size_t>(sent);
  })) << distinct.size()
      << " of " << sent;
  for (int i = 0; i < sent; ++i)
    ASSERT_EQ(distinct.count(text_of(i)), 1u) << i;
  std::ifstream newest{disk / "logs" / "archives" / "archives.json"};
  for (std::string line; std::getline(newest, line);)
    ASSERT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded()) << "a torn line: " << line;
}

} // namespace
} // namespace picket
