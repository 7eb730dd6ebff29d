// A node that is stopped and started again under load, with all its agents coming back within a moment: it
// reads every connection to its end before it goes (agent-behaviour D2), and takes the storm when it is back
// (P1).

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
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
  EXPECT_EQ(report->totals.connects, agents * (restarts + 1)) << "nobody was sent away and came again";
  EXPECT_EQ(report->totals.refusals, 0u);
  EXPECT_EQ(node.stop(), 0);
  agentsim::verifier checker{"soak"};
  auto found = verify(node, simulator, checker);
  std::printf("stop: %llu lines; %s\n", static_cast<unsigned long long>(report->sent),
              to_string(found).c_str());
  EXPECT_TRUE(found.good()) << to_string(found);
  EXPECT_EQ(found.found, report->sent);
}

} // namespace
} // namespace picket::soak
