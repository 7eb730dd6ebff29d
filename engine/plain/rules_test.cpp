#include "engine/plain/trace.hpp"
#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::in_group;
using testing::noon_ms;
using testing::rule_of;

/// One condition of rule 101, below 100 (any JSON event): which lines it holds for.
struct condition_case {
  const char* name;
  const char* condition;
  const char* holds;
  const char* fails;
};

void PrintTo(const condition_case& c, std::ostream* out) { *out << c.name; }

class Conditions : public ::testing::TestWithParam<condition_case> {};

TEST_P(Conditions, HoldForOneEventAndNotForTheOther) {
  const auto& each = GetParam();
  const std::string with_101 =
      R"(<rule id="100" level="3"><decoded_as>json</decoded_as><description>d</description></rule><rule id="101" level="5"><if_sid>100</if_sid>)"
      + std::string{each.condition} + "<description>d</description></rule>";
  const auto compiled = compile_rules(in_group(with_101));
  ASSERT_TRUE(compiled.ruleset) << to_string(compiled.diagnostics.at(0));
  logtest_session session(compiled.ruleset, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, each.holds), 101u);
  EXPECT_EQ(rule_of(session, each.fails), 100u);
}

INSTANTIATE_TEST_SUITE_P(
    , Conditions,
    ::testing::Values(
        condition_case{"Match", "<match>abc|^zzz</match>", R"({"k":"xABC"})", R"({"k":"ab"})"},
        condition_case{"MatchNegated", "<match negate=\"yes\">abc</match>", R"({"k":"x"})", R"({"k":"abc"})"},
        condition_case{"Regex", R"(<regex>"k":"\d+"</regex>)", R"({"k":"12"})", R"({"k":"x"})"},
        condition_case{"Pcre2", R"(<regex type="pcre2">"k":"(?=1)</regex>)", R"({"k":"12"})",
                       R"({"k":"21"})"},
        condition_case{"Id", "<id>^4|^5</id>", R"({"id":"404"})", R"({"id":"200"})"},
        condition_case{"SystemName", "<system_name>sys</system_name>", R"({"systemname":"SYS1"})",
                       R"({"k":"sys"})"},
        condition_case{"Protocol", "<protocol negate=\"yes\">tcp</protocol>", R"({"protocol":"udp"})",
                       R"({"k":"udp"})"},
        condition_case{"Url", "<url>/admin</url>", R"({"url":"/Admin/x"})", R"({"url":"/"})"},
        condition_case{"Data", "<data>^q$</data>", R"({"data":"q"})", R"({"data":"qq"})"},
        condition_case{"ExtraData", "<extra_data>e</extra_data>", R"({"extra_data":"xex"})",
                       R"({"extra_data":"x"})"},
        condition_case{"Status", "<status>ok</status>", R"({"status":"OK"})", R"({"status":"no"})"},
        condition_case{"ActionExact", "<action>Drop</action>", R"({"action":"Drop"})",
                       R"({"action":"drop"})"},
        condition_case{"ActionTyped", "<action type=\"osmatch\">drop</action>", R"({"action":"DROPPED"})",
                       R"({"action":"x"})"},
        condition_case{"UserPrefersDstuser", "<user>^bob$</user>", R"({"dstuser":"bob","srcuser":"al"})",
                       R"({"dstuser":"","srcuser":"bob"})"},
        condition_case{"SrcipList", "<srcip>10.0.0.0/8</srcip><srcip>192.168.1.1</srcip>",
                       R"({"srcip":"192.168.1.1"})", R"({"srcip":"192.168.1.2"})"},
        condition_case{"SrcipNegated", "<srcip negate=\"yes\">10.0.0.0/8</srcip>", R"({"srcip":"host"})",
                       R"({"srcip":"10.1.1.1"})"},
        condition_case{"Dstip", "<dstip>2001:db8::/32</dstip>", R"({"dstip":"2001:db8::5"})",
                       R"({"dstip":"10.0.0.1"})"},
        condition_case{"Ports", "<srcport>22</srcport><dstport>^80$</dstport>",
                       R"({"srcport":"2222","dstport":"80"})", R"({"srcport":"22","dstport":"8080"})"},
        condition_case{"Field", R"(<field name="A.b">^x</field><field name="c" negate="yes">y</field>)",
                       R"({"a":{"b":"xyz"},"c":"z"})", R"({"a":{"b":"xyz"}})"},
        condition_case{"ListKey", R"(<list field="k">etc/lists/l</list>)", R"({"k":"key"})",
                       R"({"k":"value"})"},
        condition_case{"ListWithoutKey", R"(<list field="k" lookup="not_match_key">etc/lists/l</list>)",
                       R"({"k":"v"})", R"({"z":"v"})"},
        condition_case{
            "ListValue",
            R"(<list field="K" lookup="match_key_value" check_value="^val">etc/lists/l.cdb</list>)",
            R"({"k":"key"})", R"({"k":"10."})"},
        condition_case{"ListAddress", R"(<list field="srcip" lookup="address_match_key">etc/lists/l</list>)",
                       R"({"srcip":"10.1.2.3"})", R"({"srcip":"11.1.2.3"})"},
        condition_case{
            "ListAddressValue",
            R"(<list field="srcip" lookup="address_match_key_value" check_value="net">etc/lists/l</list>)",
            R"({"srcip":"10.1.2.3"})", R"({"srcip":"11.1.2.3"})"},
        condition_case{"ListUserPrefersSrcuser", R"(<list field="user">etc/lists/l</list>)",
                       R"({"dstuser":"x","srcuser":"key"})", R"({"dstuser":"key","srcuser":"x"})"},
        condition_case{"SameUsers", "<compiled_rule>comp_srcuser_dstuser</compiled_rule>",
                       R"({"srcuser":"a"})", R"({"srcuser":"a","dstuser":"b"})"},
        condition_case{"IdSize", "<compiled_rule>check_id_size</compiled_rule>", R"({"id":"1234567890"})",
                       R"({"id":"123456789"})"},
        condition_case{"SimpleRequest", "<compiled_rule>is_simple_http_request</compiled_rule>",
                       R"({"url":"/a"})", R"({"url":"/a?b"})"},
        condition_case{"LastWeekdayCounts", "<weekday>sunday</weekday><weekday>wed</weekday><match>y</match>",
                       R"({"k":"y"})", R"({"k":"n"})"},
        condition_case{"Time", "<time>11:59 - 12:00</time><match>y</match>", R"({"k":"y"})", R"({"k":"n"})"}),
    [](const auto& each) { return std::string{each.param.name}; });

TEST(Walk, GeoFieldsAreAbsent) {
  const auto rules = compile_rules(in_group(
      R"(<rule id="100" level="3"><srcgeoip negate="yes">US</srcgeoip><description>d</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, "x"), 0u);
}

TEST(Walk, SizeIsAMinimumOfTheLogWithoutHeader) {
  const auto rules =
      compile_rules(in_group(R"(<rule id="100" level="3" maxsize="9"><description>d</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, "Dec 10 01:02:03 host cron: kkkkkkkk"), 0u);
  EXPECT_EQ(rule_of(session, "Dec 10 01:02:03 host cron: kkkkkkkkk"), 100u);
}

TEST(Walk, HostnameAndLocationOfAgents) {
  const auto rules = compile_rules(in_group(R"(
<rule id="100" level="3"><hostname>^web</hostname><description>d</description></rule>
<rule id="101" level="2"><location>^\(db)</location><description>d</description></rule>
<rule id="102" level="2"><location>->/var/log/x</location><description>d</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, "Dec 10 01:02:03 db cron: x", "[001] (web-1) any->/var/log/x"), 100u);
  EXPECT_EQ(rule_of(session, "Dec 10 01:02:03 web cron: x", "[001] (db-1) any->/var/log/x"), 102u);
  EXPECT_EQ(rule_of(session, "Dec 10 01:02:03 web cron: x", "/var/log/x"), 100u);
}

TEST(Walk, FirstChildThatDecidesEndsTheSearch) {
  const auto rules = compile_rules(in_group(R"(
<rule id="100" level="3"><decoded_as>json</decoded_as><description>d</description></rule>
<rule id="101" level="9" noalert="1"><if_sid>100</if_sid><description>d</description></rule>
<rule id="102" level="2"><if_sid>101</if_sid><match>q</match><description>d</description></rule>
<rule id="103" level="5"><if_sid>100</if_sid><description>d</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  EXPECT_EQ(rule_of(session, R"({"q":1})"), 102u) << "a child of a grouping rule";
  EXPECT_EQ(rule_of(session, R"({"k":1})"), 103u) << "a grouping rule decides nothing itself";
}

/// Writes a line per call.
class recording_trace : public trace {
public:
  void decoder_tried(const decoder&, decoder_part, std::string_view, bool) override { ++decoders; }
  void rule_reached(const rule& each, unsigned depth) override {
    lines.push_back(std::string(depth, ' ') + std::to_string(each.id));
  }
  void condition_tested(const rule&, const condition& each, std::optional<std::string_view> value,
                        bool held) override {
    lines.push_back(std::string{each.element} + "(" + std::string{value.value_or("")}
                    + ")=" + (held ? "1" : "0"));
  }
  void entry_examined(const rule&, look_back_step step, std::string_view full_log, std::int64_t age_s,
                      std::int32_t mark) override {
    lines.push_back("entry " + std::string{full_log} + " age " + std::to_string(age_s) + " mark "
                    + std::to_string(mark) + " step " + std::to_string(static_cast<int>(step)));
  }
  void rule_tested(const rule& each, bool held) override {
    lines.push_back(std::to_string(each.id) + (held ? " holds" : " fails"));
  }
  int decoders = 0;
  std::vector<std::string> lines;
};

TEST(Walk, TellsATraceWhatItDoes) {
  const auto rules = compile_rules(in_group(R"(
<rule id="100" level="3"><match>a</match><description>d</description></rule>
<rule id="101" level="7"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)"));
  logtest_session session(rules.ruleset, analysis_path::logtest);
  recording_trace trace;
  ASSERT_TRUE(session.run("abc", "/x", noon_ms));
  ASSERT_TRUE(session.run("abcd", "/x", noon_ms + 2000, 0, &trace));
  EXPECT_GT(trace.decoders, 0);
  const std::vector<std::string> expected{
      "1",        "1 holds", " 100", "match(abcd)=1", "100 holds", "  101", "entry abc age 2 mark 0 step 4",
      "101 holds"};
  EXPECT_EQ(trace.lines, expected);
}

} // namespace
} // namespace picket::engine
