// Faults are for tests: a normal program must not even hold their names, and a build for tests must obey
// them.

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

using harness::eventually;
using harness::node_process;

constexpr std::string_view texts_of_faults[] = {
    "sink-stopped",    "sink-slow-ms", "executor-sleep-ms", "disk-error-nth",  "disk-full", "disk-read-only",
    "disk-read-error", "short-write",  "sync-error",        "clock-offset-ms", "crash-on",  "throw-on"};

TEST(FaultBuild, TheProgramHoldsFaultsOnlyWhereTheyAreBuiltIn) {
  std::ifstream in{PICKET_BINARY_DIR "/picketd", std::ios::binary};
  std::ostringstream program;
  program << in.rdbuf();
  ASSERT_GT(program.str().size(), 100'000u);
  ASSERT_NE(program.str().find("bad_configuration"), std::string::npos) << "the look finds what is there";
  for (auto text : texts_of_faults)
    EXPECT_EQ(program.str().find(text) != std::string::npos, faults::built_in) << text;
}

TEST(FaultBuild, ANormalNodeHasNoFaultsToSet) {
  if (faults::built_in) GTEST_SKIP() << "this build has faults";
  testing::scratch_directory dir;
  node_process node{dir.path()};
  node.faults = {{"crash-on", "Manager started"}};
  ASSERT_TRUE(node.start());
  EXPECT_FALSE(node.set_fault("sink-stopped", "1"));
  EXPECT_TRUE(eventually([&] { return !node.archives().empty(); })) << "and it does not crash";
}

TEST(FaultBuild, ASinkThatIsStoppedWritesAfterwards) {
  PICKET_NEEDS_FAULTS();
  testing::scratch_directory dir;
  harness::seed_agent(dir.path(), harness::transcript_agent());
  node_process node{dir.path()};
  node.faults = {{"sink-stopped", "1"}};
  ASSERT_TRUE(node.start());
  EXPECT_TRUE(node.has_logged("event=fault-set name=sink-stopped value=1"));
  agentsim::blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node.agents()));
  ASSERT_TRUE(agent.startup()) << "acknowledged all the same";
  ASSERT_TRUE(agent.send_event("/var/log/x", "a line"));
  ASSERT_TRUE(eventually([&] { return node.metric("picket_engine_events_total") >= 1; }));
  EXPECT_TRUE(node.archives().empty());
  ASSERT_TRUE(node.set_fault("sink-stopped", "off"));
  EXPECT_TRUE(eventually([&] {
    for (auto& event : node.archives())
      if (event.value("full_log", "") == "a line") return true;
    return false;
  }));
  EXPECT_FALSE(node.set_fault("sink-stoped", "1")) << "an unknown name is an error";
  EXPECT_EQ(node.stop(), 0);
}

bool arrives(const node_process& node, const std::string& text, std::string* timestamp = nullptr) {
  return eventually([&] {
    for (auto& event : node.archives())
      if (event.value("full_log", "") == text) {
        if (timestamp != nullptr) *timestamp = event.value("timestamp", "");
        return true;
      }
    return false;
  });
}

TEST(FaultBuild, ASlowSinkMakesEventsLateAndIsSeen) {
  PICKET_NEEDS_FAULTS();
  testing::scratch_directory dir;
  harness::seed_agent(dir.path(), harness::transcript_agent());
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  agentsim::blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node.agents()));
  ASSERT_TRUE(agent.startup());
  ASSERT_TRUE(node.set_fault("sink-slow-ms", "3000"));
  ASSERT_TRUE(agent.send_event("/var/log/x", "a late line"));
  EXPECT_TRUE(eventually([&] { return node.metric("picket_ingest_oldest_unprocessed_seconds") > 0.5; }));
  EXPECT_TRUE(arrives(node, "a late line"));
  ASSERT_TRUE(node.set_fault("sink-slow-ms", "off"));
  EXPECT_EQ(node.stop(), 0);
}

TEST(FaultBuild, AClockThatJumpsAheadAndBackLosesNoLineAndNoConnection) {
  PICKET_NEEDS_FAULTS();
  testing::scratch_directory dir;
  harness::seed_agent(dir.path(), harness::transcript_agent());
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  agentsim::blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node.agents()));
  ASSERT_TRUE(agent.startup());
  std::string before, ahead, back;
  ASSERT_TRUE(agent.send_event("/var/log/x", "before"));
  EXPECT_TRUE(arrives(node, "before", &before));
  ASSERT_TRUE(node.set_fault("clock-offset-ms", "172800000"));
  ASSERT_TRUE(agent.send_event("/var/log/x", "two days ahead"));
  EXPECT_TRUE(arrives(node, "two days ahead", &ahead));
  ASSERT_TRUE(node.set_fault("clock-offset-ms", "off"));
  ASSERT_TRUE(agent.send_event("/var/log/x", "and back"));
  EXPECT_TRUE(arrives(node, "and back", &back));
  EXPECT_LT(before, ahead);
  EXPECT_LT(back, ahead) << "an event bears the time at which it arrived";
  EXPECT_EQ(node.metric("picket_sessions"), 1);
  EXPECT_EQ(node.metric("picket_session_takeovers_total"), 0);
  EXPECT_EQ(node.stop(), 0);
}

TEST(FaultBuild, AStartWithAFaultThatIsUnknownIsRefused) {
  PICKET_NEEDS_FAULTS();
  testing::scratch_directory dir;
  node_process node{dir.path()};
  node.faults = {{"disk-fool", "1"}};
  EXPECT_EQ(node.start_and_fail(), 2);
  EXPECT_THAT(node.log(), ::testing::HasSubstr("disk-full"));
}

} // namespace
} // namespace picket
