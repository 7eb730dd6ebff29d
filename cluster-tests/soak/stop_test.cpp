// A node that is stopped and started again under load, with all its agents coming back within a moment: it
// reads every connection to its end before it goes (agent-behaviour D2), and takes the storm when it is back
// (P1).

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/scratch_mount.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "cluster-tests/soak/load.hpp"

namespace picket::soak {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr std::size_t agents = 500;
#else
constexpr std::size_t agents = 3'000;
#endif
constexpr double rate_per_s = 2'000;
constexpr int restarts = 2;

TEST(Stop, UnderLoadLosesNoLineAndTakesTheStormAfterwards) {
  testing::scratch_directory dir;
  harness::settings fixed{{"ingest.listen", free_address()}, {"enrollment.listen", free_address()}};
  harness::node_process node{dir.path(), fixed};
  ASSERT_TRUE(node.start());
  auto options = numbered_load(dir.path(), node.agents_text(), node.enrollment_text(), agents, rate_per_s);
  options.duration_ms = 600'000; // until it is stopped
  options.timeout_ms = 600'000;
  options.agent.timing.retry_interval_ms = 1'000; // all at the same instant, as real ones do
  options.agent.timing.max_retries = 1'000;
  agentsim::simulator simulator{options};
  auto prepared = simulator.prepare();
  ASSERT_TRUE(prepared) << to_string(prepared.error());
  result<agentsim::sim_report> report;
  std::thread load{[&] { report = simulator.run(); }};
  auto all_are_here = [&] {
    return harness::eventually([&] { return node.metric("picket_sessions") == agents; },
                               std::chrono::seconds{60});
  };
  EXPECT_TRUE(all_are_here());
  bool good = true;
  for (int i = 0; i < restarts && good; ++i) {
    auto wanted = simulator.sent_so_far() + static_cast<std::uint64_t>(2 * rate_per_s);
    good = harness::eventually([&] { return simulator.sent_so_far() >= wanted; }, std::chrono::seconds{60});
    EXPECT_TRUE(good);
    EXPECT_EQ(node.stop(), 0);
    auto started = node.start();
    EXPECT_TRUE(started) << node.log();
    auto began_ms = steady_clock_ms();
    good = good && started && all_are_here();
    EXPECT_TRUE(good) << node.metric("picket_sessions") << " sessions";
    std::printf("stop: %zu agents were back %lld ms after the start\n", agents,
                static_cast<long long>(steady_clock_ms() - began_ms));
  }
  simulator.stop();
  load.join();
  ASSERT_TRUE(report) << to_string(report.error());
  // Some may not have read their acknowledgement when it was over.
  EXPECT_LE(report->totals.connects, agents * (restarts + 1)) << "nobody was sent away and came again";
  EXPECT_EQ(report->totals.refusals, 0u);
  EXPECT_EQ(node.stop(), 0);
  agentsim::verifier checker{"soak"};
  auto found = verify(node, simulator, checker);
  std::printf("stop: %llu lines; %s\n", static_cast<unsigned long long>(report->sent),
              to_string(found).c_str());
  EXPECT_TRUE(found.good()) << to_string(found);
  EXPECT_EQ(found.found, report->sent);
}

/// Agents that neither answer nor end their connections, on several I/O threads: none is taken on again by
/// another thread, and the time does not add up.
TEST(Stop, OfSeveralThreadsIsOneStop) {
  constexpr std::size_t silent = 60;
  testing::scratch_directory dir;
  std::vector<agentsim::agent_identity> identities;
  for (std::size_t i = 1; i <= silent; ++i) {
    identities.push_back(
        {to_text(static_cast<agent_id>(i)), "host-" + std::to_string(i), "any", std::string(64, 'k')});
    harness::seed_agent(dir.path(), identities.back());
  }
  harness::node_process node{dir.path(), {{"ingest.io_threads", "8"}}};
  ASSERT_TRUE(node.start());
  std::vector<std::unique_ptr<agentsim::blocking_agent>> held;
  for (const auto& who : identities) {
    held.push_back(std::make_unique<agentsim::blocking_agent>(who));
    ASSERT_TRUE(held.back()->connect(node.agents()));
    ASSERT_TRUE(held.back()->startup());
    ASSERT_TRUE(held.back()->send_event("/x", "the last word of " + who.id));
  }
  auto began_ms = steady_clock_ms();
  EXPECT_EQ(node.stop(), 0) << node.log();
  EXPECT_LT(steady_clock_ms() - began_ms, 10'000) << "two seconds for all, not for each thread";
  std::size_t heard = 0;
  for (const auto& event : node.archives())
    heard += event.value("full_log", "").rfind("the last word", 0) == 0 ? 1U : 0U;
  EXPECT_EQ(heard, silent);
}

/// What was read and cannot be put anywhere is said, not lost without a word.
TEST(Stop, WhileConnectionsWaitForRoomSaysThatNotAllWasRead) {
  testing::scratch_directory dir;
  auto disk = harness::scratch_mount::tmpfs(dir.path() / "data/logs", 1 << 20U);
  if (!disk) GTEST_SKIP() << "needs a disk of its own for the journal: " << to_string(disk.error());
  harness::node_process node{dir.path(),
                             {{"pool.segments", "64"},
                              {"pool.shard_quota_segments", "32"},
                              {"overflow.max_bytes", "0"},
                              {"limits.disk_free_min_bytes", "1048576"},
                              {"node.stop_timeout_s", "3"}}};
  ASSERT_TRUE(node.start());
  auto options = numbered_load(dir.path(), node.agents_text(), node.enrollment_text(), 10, 0);
  options.duration_ms = 60'000;
  options.timeout_ms = 120'000;
  agentsim::simulator simulator{options};
  ASSERT_TRUE(simulator.prepare());
  std::thread load{[&] { static_cast<void>(simulator.run()); }};
  auto waiting = [&](const char* why) {
    return node.metric(std::string{"picket_ingest_waiting_connections{why=\""} + why + "\"}");
  };
  EXPECT_TRUE(harness::eventually([&] { return waiting("paused") + waiting("throttled") >= 10; },
                                  std::chrono::seconds{60}));
  EXPECT_TRUE(harness::eventually([&] {
    auto status = node.api("GET", "/picket/node/status");
    return status && status->dump().find("no room for what agents send") != std::string::npos;
  })) << "health is true";
  EXPECT_EQ(node.stop(), 5);
  EXPECT_TRUE(node.has_logged("event=node-stopped"));
  EXPECT_TRUE(node.has_logged("connections=\"not all read to their end\"")) << node.log();
  simulator.stop();
  load.join();
}

} // namespace
} // namespace picket::soak
