// What a node says when it cannot start, and what it leaves behind when it ends.

#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"

namespace picket {
namespace {

namespace fs = std::filesystem;
using harness::eventually;
using harness::node_process;
using ::testing::HasSubstr;

constexpr int cannot_start = 4;
constexpr int bad_configuration = 3;

class StartAndStop : public ::testing::Test {
protected:
  testing::scratch_directory dir;
};

TEST_F(StartAndStop, APortInUseIsNamed) {
  node_process first{dir.path() / "first"};
  ASSERT_TRUE(first.start());
  node_process second{dir.path() / "second", {{"ingest.listen", first.agents_text()}}};
  EXPECT_EQ(second.start_and_fail(), cannot_start);
  EXPECT_THAT(second.log(), HasSubstr(first.agents_text() + ": another program listens there"));
  EXPECT_THAT(second.log(), HasSubstr("ss -ltnp")) << "and how to mend it";
}

TEST_F(StartAndStop, TwoNodesInOneDirectoryAreToldApart) {
  node_process first{dir.path()};
  ASSERT_TRUE(first.start());
  node_process second{dir.path()};
  EXPECT_EQ(second.start_and_fail(), cannot_start);
  EXPECT_THAT(second.log(), HasSubstr("another process works with this pool"));
}

TEST_F(StartAndStop, ATokenFileThatOthersMayReadIsRefused) {
  {
    node_process node{dir.path()};
    ASSERT_TRUE(node.start());
    EXPECT_EQ(node.stop(), 0);
  }
  auto token = dir.path() / "data" / "api.token";
  struct stat info {};
  ASSERT_EQ(::stat(token.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  fs::permissions(token, fs::perms::group_read, fs::perm_options::add);
  node_process again{dir.path()};
  EXPECT_EQ(again.start_and_fail(), cannot_start);
  EXPECT_THAT(again.log(), HasSubstr("chmod 600"));
}

TEST_F(StartAndStop, ABrokenRuleSetIsRefusedWithItsPlace) {
  auto rules = dir.path() / "set" / "rules";
  auto decoders = dir.path() / "set" / "decoders";
  fs::create_directories(rules);
  fs::create_directories(decoders);
  std::ofstream{decoders / "0001-x.xml"} << "<decoder name=\"a\"><prematch>x</prematch></decoder>\n"
                                            "<decoder name=\"b\"><program_name>y</program_name></decoder>\n";
  std::ofstream{rules / "0001-x.xml"} << "<group name=\"g,\">\n  <rule id=\"1\" level=\"0\" noalert=\"1\">\n"
                                         "    <categori>syslog</categori>\n  </rule>\n</group>\n";
  node_process node{dir.path() / "node", {{"ruleset.dir", (dir.path() / "set").string()}}};
  EXPECT_EQ(node.start_and_fail(), cannot_start);
  EXPECT_THAT(node.log(), HasSubstr("0001-x.xml:3:5: error"));
  EXPECT_THAT(node.log(), HasSubstr("category")) << "did you mean";
}

TEST_F(StartAndStop, AWrongSettingIsRefusedByName) {
  node_process node{dir.path(), {{"journal.sync", "sometimes"}}};
  EXPECT_EQ(node.start_and_fail(), bad_configuration);
  EXPECT_THAT(node.log(), HasSubstr("journal.sync"));
  EXPECT_THAT(node.log(), HasSubstr("interval or strict"));
}

TEST_F(StartAndStop, APasswordFileThatIsMissingOrOpenIsRefused) {
  auto file = dir.path() / "pass";
  harness::settings with{{"enrollment.use_password", "yes"}, {"enrollment.password_file", file.string()}};
  node_process missing{dir.path() / "node", with};
  EXPECT_EQ(missing.start_and_fail(), cannot_start);
  EXPECT_THAT(missing.log(), HasSubstr("cannot read the password file"));
  std::ofstream{file} << "secret\n";
  fs::permissions(file, fs::perms::all);
  node_process open{dir.path() / "node", with};
  EXPECT_EQ(open.start_and_fail(), cannot_start);
  EXPECT_THAT(open.log(), HasSubstr("chmod 600"));
}

TEST_F(StartAndStop, ADirectoryThatCannotBeMadeIsNamed) {
  std::ofstream{dir.path() / "file"} << "x";
  node_process node{dir.path() / "node", {{"paths.data_dir", (dir.path() / "file" / "data").string()}}};
  EXPECT_EQ(node.start_and_fail(), cannot_start);
  EXPECT_THAT(node.log(), HasSubstr("cannot make the directory"));
}

TEST_F(StartAndStop, AGracefulStopFinishesWhatWasRead) {
  harness::seed_agent(dir.path(), harness::transcript_agent());
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  agentsim::blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node.agents()));
  ASSERT_TRUE(agent.startup());
  for (int i = 0; i < 2'000; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "line " + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_records_total") > 0; }));
  EXPECT_EQ(node.stop(), 0);
  EXPECT_TRUE(node.has_logged("event=node-stopped finished=all"));
  std::size_t lines = 0;
  for (auto& event : node.archives())
    lines += event.value("full_log", "").rfind("line ", 0) == 0 ? 1 : 0;
  EXPECT_EQ(lines, 2'000u);
}

TEST_F(StartAndStop, WhatAKilledNodeHadReadIsAnalysedAtItsNextStart) {
  harness::seed_agent(dir.path(), harness::transcript_agent());
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  agentsim::blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node.agents()));
  ASSERT_TRUE(agent.startup());
  constexpr int count = 3'000;
  for (int i = 0; i < count; ++i)
    ASSERT_TRUE(agent.send_event("/var/log/x", "line " + std::to_string(i)));
  ASSERT_TRUE(eventually([&] { return node.metric("picket_ingest_records_total") >= count; }));
  node.kill();
  ASSERT_TRUE(node.start());
  std::set<std::string> lines;
  EXPECT_TRUE(eventually([&] {
    lines.clear();
    for (auto& event : node.archives())
      if (event.is_object() && event.value("full_log", "").rfind("line ", 0) == 0)
        lines.insert(event["full_log"]);
    return lines.size() == count;
  })) << lines.size()
      << " of " << count << " lines; files are at-least-once, so only their number counts";
}

TEST_F(StartAndStop, AgentsOutliveARestart) {
  agentsim::tls_client_context tls;
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  auto answer = agentsim::exchange_line(tls, node.enrollment(), "OSSEC A:'stays'\n", 10'000);
  ASSERT_TRUE(answer);
  auto who = agentsim::identity_of(*answer).value();
  node.kill();
  ASSERT_TRUE(node.start());
  agentsim::blocking_agent agent{who};
  ASSERT_TRUE(agent.connect(node.agents()));
  auto ack = agent.startup();
  ASSERT_TRUE(ack) << "an enrollment that was answered survives a kill: " << to_string(ack.error());
  EXPECT_EQ(*ack, "#!-agent ack ");
}

TEST_F(StartAndStop, HealthAndMetricsAnswerWithoutAToken) {
  node_process node{dir.path()};
  ASSERT_TRUE(node.start());
  EXPECT_EQ(node.metric("picket_engine_rules") > 0, true);
  EXPECT_EQ(node.health("/health/live"), 200);
  EXPECT_EQ(node.health("/health/ready/ingest"), 200);
  EXPECT_EQ(node.health("/health/ready/control"), 200);
  node_process picky{dir.path() / "picky", {{"limits.disk_free_min_bytes", "1099511627776"}}};
  ASSERT_TRUE(picky.start());
  EXPECT_EQ(picky.health("/health/live"), 200);
  EXPECT_EQ(picky.health("/health/ready/ingest"), 503) << "too little room on the disk";
  EXPECT_EQ(picky.health("/health/ready/control"), 200);
}

} // namespace
} // namespace picket
