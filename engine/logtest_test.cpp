#include "engine/logtest.hpp"

#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::in_group;
using testing::noon_ms;

const std::string any = R"({"k":"v"})";

logtest_answer run(logtest_session& session, const std::string& line, std::int64_t later_s = 0) {
  auto answer = session.run(line, "/x", noon_ms + later_s * 1000);
  EXPECT_TRUE(answer);
  return std::move(*answer);
}

TEST(LogTest, ShowsPredecoderDecoderDataAndRule) {
  const auto rules = compile_rules(in_group(
      R"(<rule id="100" level="5"><program_name>cron</program_name><description>from $(hostname)</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  const auto answer = run(session, "Dec 10 01:02:03 web01 cron[1]: x");
  EXPECT_EQ(answer.program_name, "cron");
  EXPECT_EQ(answer.timestamp, "Dec 10 01:02:03");
  EXPECT_EQ(answer.hostname, "web01");
  EXPECT_FALSE(answer.decoder);
  EXPECT_EQ(answer.data, "{}");
  ASSERT_TRUE(answer.rule);
  EXPECT_EQ(answer.rule->description, "from web01");
  EXPECT_EQ(answer.rule->firedtimes, 1u);
  EXPECT_TRUE(answer.alert);
}

TEST(LogTest, PathsDifferForLevelZero) {
  const auto rules =
      compile_rules(in_group(R"(<rule id="100" level="0"><description>d</description></rule>)"));
  logtest_session test(rules.ruleset, analysis_path::logtest), live(rules.ruleset, analysis_path::live);
  const auto shown = run(test, "x");
  ASSERT_TRUE(shown.rule);
  EXPECT_EQ(shown.rule->level, 0);
  EXPECT_FALSE(shown.alert);
  EXPECT_NE(shown.document.find(R"("rule":{"level":0,"description")"), std::string::npos) << shown.document;
  EXPECT_FALSE(run(live, "x").rule);
}

TEST(LogTest, PathsDifferForIgnoreWindows) {
  const auto rules = compile_rules(in_group(R"(
<rule id="100" level="3"><decoded_as>json</decoded_as><description>d</description></rule>
<rule id="101" level="5" ignore="60"><if_sid>100</if_sid><description>d</description></rule>)"));
  logtest_session test(rules.ruleset, analysis_path::logtest), live(rules.ruleset, analysis_path::live);
  std::vector<std::pair<std::uint32_t, bool>> seen_test, seen_live;
  for (const auto later_s : {0, 1, 61, 62, 63}) {
    const auto t = run(test, any, later_s);
    const auto l = run(live, any, later_s);
    seen_test.emplace_back(t.rule->id, t.alert);
    seen_live.emplace_back(l.rule->id, l.alert);
  }
  using seen = std::vector<std::pair<std::uint32_t, bool>>;
  EXPECT_EQ(seen_test, (seen{{101, true}, {101, false}, {101, true}, {101, true}, {101, false}}));
  EXPECT_EQ(seen_live, (seen{{101, true}, {100, true}, {101, true}, {100, true}, {100, true}}));
}

TEST(LogTest, OnlyTheLivePathBeginsAnewAtTheFullHour) {
  const auto rules =
      compile_rules(in_group(R"(<rule id="100" level="3"><description>d</description></rule>)"));
  logtest_session test(rules.ruleset, analysis_path::logtest), live(rules.ruleset, analysis_path::live);
  run(test, "x", 3599);
  run(live, "x", 3599);
  EXPECT_EQ(run(test, "x", 3600).rule->firedtimes, 2u);
  EXPECT_EQ(run(live, "x", 3600).rule->firedtimes, 1u);
}

TEST(LogTest, OnlyTheLivePathDropsIncompleteFirewallEvents) {
  const auto rules = compile_rules(
      R"(<group name="f,"><rule id="2" level="3"><category>firewall</category><description>fw</description></rule></group>)");
  logtest_session test(rules.ruleset, analysis_path::logtest), live(rules.ruleset, analysis_path::live);
  EXPECT_EQ(run(test, "fw: x").rule->id, 2u);
  EXPECT_TRUE(run(live, "fw: x").refused);
}

TEST(LogTest, SessionsKnowNothingOfEachOther) {
  const auto rules = compile_rules(in_group(
      R"(<rule id="100" level="3"><decoded_as>json</decoded_as><check_diff/><description>d</description></rule>)"));
  logtest_session one(rules.ruleset, analysis_path::logtest), two(rules.ruleset, analysis_path::logtest);
  run(one, R"({"n":1})");
  EXPECT_FALSE(run(two, R"({"n":2})").rule);
  const auto changed = run(one, R"({"n":2})");
  ASSERT_TRUE(changed.rule);
  EXPECT_NE(changed.document.find(R"("previous_log":"{\"n\":1}")"), std::string::npos);
}

TEST(LogTest, ALocationWithAnOpenBracketIsAnError) {
  logtest_session session(compile_rules("").ruleset, analysis_path::logtest);
  const auto answer = session.run("x", "[001", noon_ms);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, errc::invalid_argument);
}

} // namespace
} // namespace picket::engine
