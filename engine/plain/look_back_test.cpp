#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::in_group;
using testing::noon_ms;
using testing::rule_of;

/// Rule 100 takes every JSON event; the text is further rules.
std::shared_ptr<const ruleset> with_base(const std::string& rules) {
  const auto compiled = compile_rules(in_group(
      R"(<rule id="100" level="3"><decoded_as>json</decoded_as><description>base</description></rule>)"
      + rules));
  EXPECT_TRUE(compiled.ruleset);
  return compiled.ruleset;
}

std::vector<std::uint32_t> verdicts(const std::shared_ptr<const ruleset>& rules,
                                    const std::vector<std::string>& lines) {
  logtest_session session(rules, analysis_path::logtest);
  std::vector<std::uint32_t> ids;
  for (const auto& line : lines)
    ids.push_back(rule_of(session, line));
  return ids;
}

using ids = std::vector<std::uint32_t>;
const std::string any = R"({"k":"v"})";

TEST(LookBack, FrequencyNFiresEveryNthTime) {
  const auto rules = with_base(
      R"(<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  EXPECT_EQ(verdicts(rules, {any, any, any, any, any, any}), (ids{100, 100, 101, 100, 100, 101}));
}

TEST(LookBack, FrequencyTwoFiresFromTheSecondOn) {
  const auto rules = with_base(
      R"(<rule id="101" level="7"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  EXPECT_EQ(verdicts(rules, {any, any, any}), (ids{100, 101, 101}));
}

TEST(LookBack, HigherLevelsCountWhatLowerOnesSpent) {
  const auto rules = with_base(R"(
<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><description>d</description></rule>
<rule id="102" level="9" frequency="5"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  EXPECT_EQ(verdicts(rules, {any, any, any, any, any, any}), (ids{100, 100, 101, 100, 100, 102}));
}

TEST(LookBack, EntriesOfOtherValuesNeitherCountNorStop) {
  const auto rules = with_base(
      R"(<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><same_srcip/><different_url/><description>d</description></rule>)");
  const std::string a1 = R"({"srcip":"1.1.1.1","url":"/a"})", a2 = R"({"srcip":"1.1.1.1","url":"/b"})",
                    b = R"({"srcip":"2.2.2.2","url":"/c"})", a3 = R"({"srcip":"1.1.1.1","url":"/c"})";
  EXPECT_EQ(verdicts(rules, {a1, b, a2, a1, a3}), (ids{100, 100, 100, 100, 101}));
}

TEST(LookBack, CompositesOverEqualListsCountEachEventOnce) {
  const auto compiled = compile_rules(R"(<group name="alpha,">
<rule id="100" level="3"><decoded_as>json</decoded_as><description>d</description></rule></group><group name="x,">
<rule id="101" level="7" frequency="5"><if_matched_group>alpha</if_matched_group><description>d</description></rule>
<rule id="102" level="4" frequency="5"><if_sid>100</if_sid><if_matched_group>alpha</if_matched_group><match>q</match><description>d</description></rule>
</group>)");
  ASSERT_TRUE(compiled.ruleset);
  EXPECT_EQ(compiled.ruleset->indexes.size(), 1u);
  EXPECT_EQ(verdicts(compiled.ruleset, {any, any, any, any, any}), (ids{100, 100, 100, 100, 101}));
}

TEST(LookBack, AgentsShareNothingWithoutGlobalFrequency) {
  const auto rules = with_base(R"(
<rule id="101" level="7"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  logtest_session session(rules, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, any, "[001] (a) any->/x"), 100u);
  EXPECT_EQ(rule_of(session, any, "[002] (a) any->/x"), 100u);
  EXPECT_EQ(rule_of(session, any, "[001] (b) any->/y"), 101u);
}

TEST(LookBack, GlobalFrequencyCountsOverAllAgents) {
  const auto rules = with_base(R"(
<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><global_frequency/><description>d</description></rule>)");
  logtest_session session(rules, analysis_path::logtest);
  for (const auto* agent : {"[001] (a) any->/x", "[002] (b) any->/x"})
    EXPECT_EQ(rule_of(session, any, agent), 100u);
  EXPECT_EQ(rule_of(session, any, "[003] (c) any->/x"), 101u);
  EXPECT_EQ(rule_of(session, any, "[004] (d) any->/x"), 100u);
}

TEST(LookBack, AnEntryOfExactlyTheTimeframeStillCounts) {
  const auto rules = with_base(
      R"(<rule id="101" level="7" timeframe="10"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  const auto second = [&](std::int64_t later_ms) {
    logtest_session session(rules, analysis_path::logtest);
    rule_of(session, any);
    return rule_of(session, any, "/x", noon_ms + later_ms);
  };
  EXPECT_EQ(second(10'999), 101u) << "ages are whole seconds";
  EXPECT_EQ(second(11'000), 100u);
}

TEST(LookBack, TheClockNeverStepsBack) {
  const auto rules = with_base(
      R"(<rule id="101" level="7" timeframe="10"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  logtest_session session(rules, analysis_path::logtest);
  rule_of(session, R"({"z":1})", "/x", noon_ms + 60'000);
  // Arrived earlier, but later in the shard: it counts as of the latest second seen.
  EXPECT_EQ(rule_of(session, any, "/x", noon_ms), 101u);
}

TEST(LookBack, ShowsAtMostElevenTextsNewestFirst) {
  const auto rules = with_base(
      R"(<rule id="101" level="7" frequency="15"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)");
  logtest_session session(rules, analysis_path::logtest);
  for (int i = 0; i < 14; ++i)
    rule_of(session, "{\"n\":" + std::to_string(i) + "}");
  const auto answer = session.run(R"({"n":14})", "/x", noon_ms);
  ASSERT_TRUE(answer);
  std::string expected = R"("previous_output":")";
  for (int i = 13; i >= 3; --i)
    expected += (i < 13 ? std::string{"\\n"} : std::string{}) + "{\\\"n\\\":" + std::to_string(i) + "}";
  EXPECT_NE(answer->document.find(expected + "\""), std::string::npos) << answer->document;
}

TEST(LookBack, MarksSurviveACompositeThatIsNotTheVerdict) {
  const auto rules = with_base(R"(
<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><description>d</description></rule>
<rule id="103" level="9"><if_sid>101</if_sid><description>d</description></rule>)");
  EXPECT_EQ(verdicts(rules, {any, any, any, any, any, any}), (ids{100, 100, 103, 100, 100, 103}));
}

/// Rules and events from a seed: windows and complete lists must give the same verdicts, texts and marks.
class WindowsAgainstLists : public ::testing::TestWithParam<unsigned> {};

std::string random_composite(std::mt19937& random, int id) {
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  const std::vector<std::string> compared{"<same_srcip/>",
                                          "<same_user/>",
                                          "<same_field>f</same_field>",
                                          "<same_location/>",
                                          "<different_url/>",
                                          "<different_srcip/>",
                                          "<not_same_field>f</not_same_field>",
                                          "<different_location/>",
                                          "<global_frequency/>"};
  std::string text = "<rule id=\"" + std::to_string(id) + "\" level=\"" + std::to_string(1 + pick(12))
                     + "\" frequency=\"" + std::to_string(2 + pick(6)) + "\" timeframe=\""
                     + std::to_string(1 + pick(60)) + "\"";
  if (pick(5) == 0) text += " noalert=\"1\"";
  text += ">";
  const int kind = pick(10);
  const auto watched = std::to_string(100 + pick(id - 100));
  if (kind < 5)
    text += "<if_matched_sid>" + watched + "</if_matched_sid>";
  else if (kind < 8)
    text += pick(2) ? "<if_matched_group>a</if_matched_group>" : "<if_matched_group>b</if_matched_group>";
  else
    text += "<if_sid>" + watched + "</if_sid><if_matched_regex>" + (pick(2) ? "a" : "\\d")
            + "</if_matched_regex>";
  if (kind < 8 && pick(3) == 0) text += "<if_sid>" + std::to_string(100 + pick(id - 100)) + "</if_sid>";
  for (int n = pick(4); n > 0; --n)
    text += compared[static_cast<std::size_t>(pick(static_cast<int>(compared.size())))];
  return text + "<description>d</description></rule>\n";
}

std::string random_rules(std::mt19937& random) {
  std::string text = R"(<group name="a,">
<rule id="100" level="3"><decoded_as>json</decoded_as><match>"p"</match><description>d</description></rule>
<rule id="101" level="2"><decoded_as>json</decoded_as><description>d</description></rule></group>
<group name="b,"><rule id="102" level="4"><if_sid>100,101</if_sid><match>"q"</match><description>d</description></rule>
</group>)";
  for (int id = 103; id < 115; ++id)
    text += "<group name=\"" + std::string{random() % 2 ? "a,b," : "x,"} + "\">"
            + random_composite(random, id) + "</group>";
  return text;
}

std::string random_line(std::mt19937& random) {
  const auto pick = [&](unsigned below) { return random() % below; };
  std::string text = "{\"z\":1";
  if (pick(2)) text += ",\"p\":" + std::to_string(pick(3));
  if (pick(3) == 0) text += ",\"q\":1";
  if (pick(3)) text += ",\"srcip\":\"10.0.0." + std::to_string(pick(3)) + "\"";
  if (pick(2)) text += ",\"dstuser\":\"u" + std::to_string(pick(2)) + "\"";
  if (pick(2)) text += ",\"url\":\"/" + std::to_string(pick(3)) + "\"";
  if (pick(2)) text += ",\"f\":\"" + std::to_string(pick(2)) + "\"";
  return text + "}";
}

TEST_P(WindowsAgainstLists, Agree) {
  std::mt19937 random(GetParam());
  const auto text = random_rules(random);
  const auto compiled = compile_rules(text);
  ASSERT_TRUE(compiled.ruleset) << "seed " << GetParam();
  logtest_session windows(compiled.ruleset, analysis_path::live, "m");
  logtest_session lists(compiled.ruleset, analysis_path::live, "m");
  lists.state().complete = std::make_unique<complete_lists>(1'000'000);
  const std::vector<std::string> places{"[001] (a) any->/x", "[002] (b) any->/x", "[001] (a) any->/y"};
  std::int64_t now = noon_ms;
  int composites = 0;
  for (int i = 0; i < 400; ++i) {
    now += random() % 3000;
    const auto line = random_line(random);
    const auto& place = places[random() % places.size()];
    const auto first = windows.run(line, place, now);
    const auto second = lists.run(line, place, now);
    ASSERT_TRUE(first && second);
    ASSERT_EQ(first->document, second->document) << "seed " << GetParam() << " event " << i << "\n" << text;
    ASSERT_EQ(first->text, second->text) << "seed " << GetParam() << " event " << i;
    composites += first->rule && first->rule->frequency ? 1 : 0;
  }
  RecordProperty("composites", composites);
}

INSTANTIATE_TEST_SUITE_P(Seeds, WindowsAgainstLists, ::testing::Range(1u, 61u));

TEST(LookBack, RandomRulesDoReachComposites) {
  std::mt19937 random(7);
  int composites = 0;
  for (int round = 0; round < 10; ++round) {
    logtest_session session(compile_rules(random_rules(random)).ruleset, analysis_path::logtest);
    for (int i = 0; i < 100; ++i) {
      const auto answer = session.run(random_line(random), "/x", noon_ms + i * 500);
      composites += answer && answer->rule && answer->rule->frequency ? 1 : 0;
    }
  }
  EXPECT_GT(composites, 50);
}

} // namespace
} // namespace picket::engine
