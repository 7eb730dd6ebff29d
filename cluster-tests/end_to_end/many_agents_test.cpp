// Many agents at once: nothing lost, nothing doubled, each agent's lines in their order. PICKET_LOAD_SECONDS
// sets for how long (20); scripts/bench has the figures of speed.

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/agentsim/verify.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

std::int64_t load_seconds() {
  const char* text = std::getenv("PICKET_LOAD_SECONDS");
  return text != nullptr ? std::atoll(text) : 20;
}

agentsim::verdict verify(const harness::node_process& node, const agentsim::simulator& simulator,
                         const std::string& run) {
  agentsim::verifier checker{run};
  agentsim::file_follower follower{node.archives_file()};
  auto read = follower.read_on(checker);
  EXPECT_TRUE(read) << (read ? "" : to_string(read.error()));
  return checker.judge(simulator.sent_by_agent());
}

class ManyAgents : public ::testing::Test {
protected:
  agentsim::sim_options load(const harness::node_process& node, std::size_t agents, double rate_per_s) {
    agentsim::sim_options options;
    options.agents = agents;
    options.servers = {node.agents_text()};
    options.enroll = node.enrollment_text();
    options.files = {std::string{PICKET_SOURCE_DIR} + "/config/samples/auth.log=/var/log/auth.log",
                     std::string{PICKET_SOURCE_DIR}
                         + "/config/samples/nginx-access.log=/var/log/nginx/access.log"};
    options.rate_per_s = rate_per_s;
    options.duration_ms = load_seconds() * 1000;
    options.lines_per_agent = 1'000'000;
    options.timeout_ms = options.duration_ms + 120'000;
    options.number = true;
    options.run = "load";
    return options;
  }

  testing::scratch_directory dir;
};

TEST_F(ManyAgents, TwoHundredAgentsAtAThousandEventsASecond) {
  harness::node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  agentsim::simulator simulator{load(node, 200, 1'000)};
  auto prepared = simulator.prepare();
  ASSERT_TRUE(prepared) << to_string(prepared.error());
  auto report = simulator.run();
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(report->connected, 200u);
  EXPECT_FALSE(report->timed_out);
  EXPECT_GE(report->sent, static_cast<std::uint64_t>(load_seconds()) * 900);
  EXPECT_EQ(node.stop(), 0);
  auto found = verify(node, simulator, "load");
  EXPECT_TRUE(found.good()) << agentsim::to_string(found);
  EXPECT_EQ(found.found, report->sent);
}

TEST_F(ManyAgents, ASmallPoolPausesConnectionsAndLosesNothing) {
  harness::node_process node{dir.path(),
                             {{"pool.segments", "64"},
                              {"pool.shard_quota_segments", "16"},
                              {"engine.batch_bytes", "65600"},
                              {"engine.shards", "8"},
                              {"engine.executors", "1"},
                              {"journal.sync", "strict"}}};
  ASSERT_TRUE(node.start());
  auto options = load(node, 20, 0);
  options.duration_ms = 0;
  options.lines_per_agent = 4'000;
  options.prebuilt = true;
  agentsim::simulator simulator{options};
  ASSERT_TRUE(simulator.prepare());
  auto report = simulator.run();
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_FALSE(report->timed_out);
  auto pauses = node.metric("picket_ingest_pauses_total");
  EXPECT_EQ(node.stop(), 0);
  auto found = verify(node, simulator, "load");
  EXPECT_TRUE(found.good()) << agentsim::to_string(found) << "; pauses " << pauses;
  EXPECT_GT(pauses, 0) << "the pool was meant to be too small";
}

TEST_F(ManyAgents, SeveralIoThreadsAndExecutorsKeepTheOrderOfEachAgent) {
  harness::node_process node{dir.path(), {{"ingest.io_threads", "3"}, {"engine.executors", "4"}}};
  ASSERT_TRUE(node.start());
  auto options = load(node, 50, 0);
  options.duration_ms = 0;
  options.lines_per_agent = 400;
  agentsim::simulator simulator{options};
  ASSERT_TRUE(simulator.prepare());
  auto report = simulator.run();
  ASSERT_TRUE(report) << to_string(report.error());
  EXPECT_EQ(node.stop(), 0);
  auto found = verify(node, simulator, "load");
  EXPECT_TRUE(found.good()) << agentsim::to_string(found);
  EXPECT_EQ(found.found, 50u * 400u);
}

} // namespace
} // namespace picket
