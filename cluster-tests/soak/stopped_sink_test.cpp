// The sink stops under load for most of the run: records go to the pool, then to overflow files; agents
// notice nothing; afterwards everything arrives. PICKET_SOAK_SECONDS=820 is the full length.

#include <thread>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/harness/scratch_mount.hpp"
#include "cluster-tests/soak/load.hpp"

namespace picket::soak {
namespace {

constexpr std::size_t agents = 1'000;
constexpr double rate_per_s = 2'000;
constexpr std::uint64_t first_journal_bytes = 4 << 20U; ///< full after some seconds

TEST(Soak, TheSinkStopsUnderLoadAndNothingIsLost) {
  const auto seconds = seconds_or(60);
  const bool full_length = seconds >= 600;
  testing::scratch_directory dir;
  auto disk = harness::scratch_mount::tmpfs(dir.path() / "data/logs", first_journal_bytes);
  if (!disk) GTEST_SKIP() << "needs a disk of its own for the journal: " << to_string(disk.error());
  const double wanted_overflow_bytes = (full_length ? 200.0 : 2.0) * (1 << 20U);
  const std::uint64_t pool_bytes = (full_length ? 2'048 : 192) * std::uint64_t{16'384};
  harness::node_process node{dir.path(),
                             {{"pool.segments", std::to_string(pool_bytes / 16'384)},
                              {"pool.shard_quota_segments", full_length ? "256" : "64"},
                              {"node.stop_timeout_s", "300"}}};
  ASSERT_TRUE(node.start());
  auto options = numbered_load(dir.path(), node.agents_text(), node.enrollment_text(), agents, rate_per_s);
  options.duration_ms = seconds * 1'000;
  options.timeout_ms = options.duration_ms + 120'000;
  agentsim::simulator simulator{options};
  auto prepared = simulator.prepare();
  ASSERT_TRUE(prepared) << to_string(prepared.error());
  result<agentsim::sim_report> report;
  std::thread load{[&] { report = simulator.run(); }};
  EXPECT_TRUE(harness::eventually([&] { return node.metric("picket_sessions") == agents; }));
  const auto idle_bytes = memory_bytes(node.pid(), "VmRSS");
  EXPECT_TRUE(
      harness::eventually([&] { return node.has_logged("event=journal-failed"); }, std::chrono::seconds{60}));
  const auto stopped_ms = steady_clock_ms();
  double overflow_bytes = 0, oldest_s = 0;
  const auto go_on_ms = stopped_ms + seconds * 1'000 * 3 / 4 - 10'000;
  harness::eventually(
      [&] {
        overflow_bytes = std::max(overflow_bytes, node.metric("picket_overflow_bytes"));
        return steady_clock_ms() >= go_on_ms && (full_length || overflow_bytes > wanted_overflow_bytes);
      },
      std::chrono::seconds{seconds * 2});
  EXPECT_EQ(node.health("/health/ready/ingest"), 503);
  EXPECT_EQ(node.health("/health/live"), 200);
  oldest_s = node.metric("picket_ingest_oldest_unprocessed_seconds");
  const auto stopped_s = (steady_clock_ms() - stopped_ms) / 1'000;
  auto grown = (*disk)->resize(std::uint64_t{8} << 30U);
  EXPECT_TRUE(grown);
  if (!grown) simulator.stop();
  load.join();
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_FALSE(report->timed_out);
  EXPECT_TRUE(harness::eventually(
      [&] { return node.metric("picket_engine_events_total") >= static_cast<double>(report->sent); },
      std::chrono::seconds{300}));
  const auto peak_bytes = memory_bytes(node.pid(), "VmHWM");
  const auto throttles = node.metric("picket_ingest_throttles_total");
  EXPECT_EQ(node.stop(), 0);
  agentsim::verifier checker{"soak"};
  auto found = verify(node, simulator, checker);
  const auto limit_bytes = idle_bytes + pool_bytes + (64 << 20U);
  std::printf(
      "soak: %lld s, sink stopped for %lld s; %llu lines; overflow up to %.1f MiB; oldest record %.0f s\n"
      "soak: peak memory %llu MiB, contract idle %llu + pool %llu + 64 = %llu MiB\nsoak: %s\n",
      static_cast<long long>(seconds), static_cast<long long>(stopped_s),
      static_cast<unsigned long long>(report->sent), overflow_bytes / (1 << 20U), oldest_s,
      static_cast<unsigned long long>(peak_bytes >> 20U), static_cast<unsigned long long>(idle_bytes >> 20U),
      static_cast<unsigned long long>(pool_bytes >> 20U), static_cast<unsigned long long>(limit_bytes >> 20U),
      to_string(found).c_str());
  EXPECT_TRUE(found.good()) << agentsim::to_string(found);
  EXPECT_EQ(found.found, report->sent);
  EXPECT_EQ(report->totals.connects, agents) << "no agent connected anew";
  EXPECT_EQ(report->totals.lost_connections, 0u);
  EXPECT_EQ(throttles, 0);
  EXPECT_GE(oldest_s, static_cast<double>(stopped_s) - 5);
  EXPECT_GT(overflow_bytes, wanted_overflow_bytes);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LE(peak_bytes, limit_bytes);
#endif
}

} // namespace
} // namespace picket::soak
