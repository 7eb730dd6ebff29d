#include "node/picketctl/views.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace picket::ctl {
namespace {

TEST(Views, AgentsAreATable) {
  auto items = json::parse(R"([
    {"id":"001","name":"web-01","ip":"192.0.2.7","status":"active","version":"Wazuh v4.14.7","group":["web","linux"],
     "lastContact":"2026-01-02T03:04:05+00:00","since_start":{"events":1234,"dropped":2,"paused_seconds":3.5}},
    {"id":"002","name":"db\u001b[2J","ip":"any","status":"never_connected"}])");
  EXPECT_EQ(
      agents_table(items),
      "ID   NAME       ADDRESS    STATUS           VERSION        GROUPS      LAST CONTACT          EVENTS  "
      "DROPPED  PAUSED\n"
      "001  web-01     192.0.2.7  active           Wazuh v4.14.7  web, linux  2026-01-02T03:04:05Z  1234    "
      "2        3.5 s\n"
      "002  db\\x1b[2J  any        never_connected  -              -           -                     -       "
      "-        -\n");
  EXPECT_EQ(agents_table(json::array()),
            "ID  NAME  ADDRESS  STATUS  VERSION  GROUPS  LAST CONTACT  EVENTS  DROPPED  PAUSED\n");
  EXPECT_NE(agents_table(json::parse(R"([{"id":5,"name":null,"group":"x"}, 7, null, []])")), "")
      << "odd answers";
}

TEST(Views, OneAgentIsShownWithAllThatIsKnown) {
  auto agent = json::parse(R"({"id":"001","name":"web-01","status":"active","os":{"uname":"Linux |web-01"},
                               "dateAdd":"2026-01-02T03:04:05+00:00"})");
  EXPECT_EQ(agent_details(agent), "id          001\n"
                                  "name        web-01\n"
                                  "status      active\n"
                                  "system      Linux |web-01\n"
                                  "registered  2026-01-02T03:04:05Z\n");
}

TEST(Views, AnAgentsConnectionIsShownWithItsFigures) {
  auto agent = json::parse(R"({"id":"001","lastContact":"2026-01-02T03:04:05+00:00",
    "connection":{"address":"192.0.2.7","since":"2026-01-02T01:00:00+00:00","events":1200,"dropped":1,"records":1300,
                  "bytes":3145728,"paused_seconds":42.0,"waiting_records":17,"paused":true},
    "since_start":{"events":5000,"dropped":3,"records":5100,"bytes":900,"paused_seconds":0.0}})");
  EXPECT_EQ(agent_details(agent),
            "id            001\n"
            "last contact  2026-01-02T03:04:05Z\n"
            "connection    192.0.2.7 since 2026-01-02T01:00:00Z, 17 records wait, not read for want of room\n"
            "it brought    1,200 events, 1 dropped, 3.0 MiB, not read for 42 s\n"
            "since start   5,000 events, 3 dropped, 900 B\n");
}

TEST(Views, GroupsHaveTheirNumberOfAgents) {
  EXPECT_EQ(groups_table(json::parse(R"([{"name":"default","count":0},{"name":"web","count":12}])")),
            "GROUP    AGENTS\ndefault  0\nweb      12\n");
}

TEST(ApiAnswers, AProblemSaysWhatAndHowToMendIt) {
  EXPECT_FALSE(problem_of({200, "application/json", "{}"}));
  auto refused = problem_of({400, "application/problem+json",
                             R"({"title":"Bad Request","detail":"no\u001bgood","remediation":"Do it so."})"});
  ASSERT_TRUE(refused);
  EXPECT_EQ(to_string(*refused), "no\\x1bgood (Do it so.)");
  EXPECT_EQ(problem_of({401, "", ""})->mend, "give the node's token file with --config or --token-file");
  EXPECT_EQ(problem_of({502, "text/html", "<html>"})->what, "the node answered with HTTP status 502");
  EXPECT_EQ(problem_of({500, "", R"({"title":"Internal Error"})"})->what, "Internal Error");
}

TEST(ApiAnswers, TheEnvelopeDecidesTheExitCode) {
  EXPECT_EQ(exit_code_of_envelope(json::parse(R"({"error":0})")), exit_code::ok);
  EXPECT_EQ(exit_code_of_envelope(json::parse(R"({"error":1})")), exit_code::no);
  EXPECT_EQ(exit_code_of_envelope(json::parse(R"({"error":2})")), exit_code::partial);
  EXPECT_EQ(exit_code_of_envelope(json::object()), exit_code::ok);
  auto body = json::parse(R"({"data":{"failed_items":[
    {"error":{"code":1701,"message":"Agent does not exist","remediation":"List them."},"id":["002","003"]},
    {"error":{"code":1731,"message":"Not eligible"},"id":["001"]}, 5, {"id":7}]}})");
  EXPECT_EQ(failed_items_text(body), "002, 003: Agent does not exist (List them.)\n001: Not eligible\n");
  EXPECT_EQ(failed_items_text(json::parse(R"({"data":5})")), "");
}

} // namespace
} // namespace picket::ctl
