#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::find_code;
using testing::in_group;

struct finding_case {
  const char* name;
  const char* rules; ///< second line of the group
  const char* code;
  severity how;
  int column;       ///< in line 2
  const char* hint; ///< part of it
};

void PrintTo(const finding_case& c, std::ostream* out) { *out << c.name; }

class RuleFindings : public ::testing::TestWithParam<finding_case> {};

TEST_P(RuleFindings, HaveCodePlaceAndHint) {
  const auto& expected = GetParam();
  const auto compiled = compile_rules("<group name=\"g,\">\n" + std::string{expected.rules} + "\n</group>");
  const auto* found = find_code(compiled.diagnostics, expected.code);
  ASSERT_NE(found, nullptr) << (compiled.diagnostics.empty() ? "nothing found"
                                                             : to_string(compiled.diagnostics[0]));
  EXPECT_EQ(found->severity, expected.how);
  EXPECT_EQ(found->place.file, "rules.xml");
  EXPECT_EQ(found->place.line, 2);
  EXPECT_EQ(found->place.column, expected.column) << to_string(*found);
  EXPECT_NE(found->hint.find(expected.hint), std::string::npos) << found->hint;
  EXPECT_EQ(compiled.ruleset == nullptr, expected.how == severity::error);
}

constexpr auto E = severity::error;
constexpr auto W = severity::warning;

INSTANTIATE_TEST_SUITE_P(
    , RuleFindings,
    ::testing::Values(
        finding_case{"UnknownElement",
                     R"(<rule id="100" level="3"><matches>x</matches><description>d</description></rule>)",
                     "unknown-element", E, 26, "did you mean 'match'"},
        finding_case{
            "ElementInWrongCase",
            R"(<rule id="100" level="3"><if_matched_sid>1</if_matched_sid><Same_ID /><description>d</description></rule>)",
            "unknown-element", E, 60, "same_id"},
        finding_case{"UnknownAttribute",
                     R"(<rule id="100" level="3" prio="1"><description>d</description></rule>)",
                     "unknown-attribute", E, 26, ""},
        finding_case{"MistypedAttribute",
                     R"(<rule id="100" level="3" ignroe="1"><description>d</description></rule>)",
                     "unknown-attribute", E, 26, "did you mean 'ignore'"},
        finding_case{"LongId", R"(<rule id="0000100" level="3"><description>d</description></rule>)",
                     "bad-id", E, 7, "999999"},
        finding_case{"HighLevel", R"(<rule id="100" level="17"><description>d</description></rule>)",
                     "bad-level", E, 16, ""},
        finding_case{"NoLevel", R"(<rule id="100"><description>d</description></rule>)", "missing-level", E,
                     1, "level="},
        finding_case{"NoDescription", R"(<rule id="100" level="3"><match>x</match></rule>)",
                     "missing-description", E, 1, "<description>"},
        finding_case{"Empty", R"(<rule id="100" level="3"></rule>)", "empty-rule", E, 1, "description"},
        finding_case{"BadFrequency",
                     R"(<rule id="100" level="3" frequency="1"><description>d</description></rule>)",
                     "bad-frequency", E, 26, ""},
        finding_case{"NothingToCount",
                     R"(<rule id="100" level="3" frequency="3"><description>d</description></rule>)",
                     "no-look-back", E, 1, "if_matched_sid"},
        finding_case{"UnitInNumber",
                     R"(<rule id="100" level="3" timeframe="5m"><description>d</description></rule>)",
                     "bad-number", E, 26, "digits only"},
        finding_case{
            "UnknownDecoder",
            R"(<rule id="100" level="3"><decoded_as>jsons</decoded_as><description>d</description></rule>)",
            "unknown-decoder", E, 26, "did you mean 'json'"},
        finding_case{
            "UnknownCategory",
            R"(<rule id="100" level="3"><category>web</category><description>d</description></rule>)",
            "unknown-category", E, 26, ""},
        finding_case{"BadRegex",
                     R"(<rule id="100" level="3"><regex>(</regex><description>d</description></rule>)",
                     "bad-pattern", E, 26, ""},
        finding_case{
            "BadField",
            R"(<rule id="100" level="3"><field name="k" type="pcre2">(</field><description>d</description></rule>)",
            "bad-pattern", E, 26, ""},
        finding_case{
            "StaticField",
            R"(<rule id="100" level="3"><field name="SrcIP">x</field><description>d</description></rule>)",
            "static-field", E, 33, "<srcip>"},
        finding_case{"FieldWithoutName",
                     R"(<rule id="100" level="3"><field>x</field><description>d</description></rule>)",
                     "field-without-name", E, 26, "name="},
        finding_case{
            "BadAddress",
            R"(<rule id="100" level="3"><srcip>300.1.1.1</srcip><description>d</description></rule>)",
            "bad-address", E, 26, "netmask"},
        finding_case{
            "BadTime",
            R"(<rule id="100" level="3"><time>25:00 - 3:00</time><description>d</description></rule>)",
            "bad-time", E, 26, "22:00"},
        finding_case{
            "BadDay",
            R"(<rule id="100" level="3"><weekday>!monday</weekday><description>d</description></rule>)",
            "bad-weekday", E, 26, "weekends"},
        finding_case{
            "BadOption",
            R"(<rule id="100" level="3"><options>no_logs</options><description>d</description></rule>)",
            "unknown-option", E, 26, "did you mean 'no_log'"},
        finding_case{
            "BadLookup",
            R"(<rule id="100" level="3"><list field="k" lookup="match_keys">etc/lists/l</list><description>d</description></rule>)",
            "bad-lookup", E, 42, "match_key"},
        finding_case{
            "ListWithoutField",
            R"(<rule id="100" level="3"><list>etc/lists/l</list><description>d</description></rule>)",
            "list-without-field", E, 26, "field="},
        finding_case{
            "UnknownList",
            R"(<rule id="100" level="3"><list field="k">etc/lists/m</list><description>d</description></rule>)",
            "unknown-list", W, 26, "etc/lists/l"},
        finding_case{"BadOverwrite",
                     R"(<rule id="100" level="3" overwrite="true"><description>d</description></rule>)",
                     "bad-overwrite", E, 26, "yes or no"},
        finding_case{"BadNoalert",
                     R"(<rule id="100" level="3" noalert="yes"><description>d</description></rule>)",
                     "bad-noalert", W, 26, "0 or 1"},
        finding_case{
            "BadNegate",
            R"(<rule id="100" level="3"><match negate="maybe">x</match><description>d</description></rule>)",
            "bad-negate", W, 33, "yes or no"},
        finding_case{
            "BadType",
            R"(<rule id="100" level="3"><match type="perl">x</match><description>d</description></rule>)",
            "bad-type", W, 33, "pcre2"},
        finding_case{
            "IgnoredAttribute",
            R"(<rule id="100" level="3"><match typ="pcre2">x</match><description>d</description></rule>)",
            "ignored-attribute", W, 33, "did you mean 'type'"},
        finding_case{
            "AddressNegation",
            R"(<rule id="100" level="3"><srcip>!10.0.0.1</srcip><description>d</description></rule>)",
            "address-negation", W, 26, "negate="},
        finding_case{
            "TimeNegation",
            R"(<rule id="100" level="3"><time>!22:00 - 6:00</time><description>d</description></rule>)",
            "time-negation", W, 26, "opposite"},
        finding_case{"UnknownParent",
                     R"(<rule id="100" level="3"><if_sid>2</if_sid><description>d</description></rule>)",
                     "unknown-parent", W, 26, "did you mean 1?"},
        finding_case{"BadParents",
                     R"(<rule id="100" level="3"><if_sid>1x</if_sid><description>d</description></rule>)",
                     "bad-if-sid", W, 26, "commas"},
        finding_case{
            "UnknownGroup",
            R"(<rule id="100" level="3"><if_group>nosuch</if_group><description>d</description></rule>)",
            "no-parent", W, 1, ""},
        finding_case{"DoubleId",
                     R"(<rule id="1" level="3"><match>x</match><description>d</description></rule>)",
                     "double-id", W, 1, "overwrite"},
        finding_case{"EmptyMitre",
                     R"(<rule id="100" level="3"><mitre></mitre><description>d</description></rule>)",
                     "bad-mitre", W, 26, "techniqueID"},
        finding_case{"IgnoreWithEmptyName",
                     R"(<rule id="100" level="3"><ignore>a,,b</ignore><description>d</description></rule>)",
                     "empty-name", E, 26, ""},
        finding_case{
            "LevelZeroComposite",
            R"(<rule id="100" level="0"><if_matched_sid>1</if_matched_sid><description>d</description></rule>)",
            "level-0-composite", W, 1, "level of at least 1"}),
    [](const auto& each) { return std::string{each.param.name}; });

TEST(RuleReader, CollectsEveryFindingOfAFile) {
  const auto compiled = compile_rules(in_group(R"(
<rule id="100" level="99"><nosuch>x</nosuch><description>d</description></rule>
<rule id="101" level="3"><regex>(</regex><srcip>x</srcip></rule>)"));
  EXPECT_EQ(compiled.ruleset, nullptr);
  for (const auto* code :
       {"bad-level", "unknown-element", "bad-pattern", "bad-address", "missing-description"})
    EXPECT_NE(find_code(compiled.diagnostics, code), nullptr) << code;
}

TEST(RuleReader, RefusesTextsThatTheReferenceWouldDrop) {
  const auto compiled = compile_rules(in_group("<rule id=\"100\" level=\"3\"><match>" + std::string(2048, 'a')
                                               + "</match><description>d</description></rule>"));
  EXPECT_NE(find_code(compiled.diagnostics, "text-too-long"), nullptr);
}

TEST(RuleReader, TurnsLevelAndAccuracyIntoKeyAndEffectiveLevel) {
  const auto compiled = compile_rules(in_group(R"(
<rule id="100" level="7"><description>d</description></rule>
<rule id="101" level="0"><description>d</description></rule>
<rule id="102" level="7" accuracy="0"><description>d</description></rule>
<rule id="103" level="0" accuracy="0"><description>d</description></rule>)"));
  ASSERT_NE(compiled.ruleset, nullptr);
  const auto check = [&](std::uint32_t id, int key, int level) {
    EXPECT_EQ(compiled.ruleset->find_rule(id)->key, key) << id;
    EXPECT_EQ(compiled.ruleset->find_rule(id)->level, level) << id;
  };
  check(100, 700, 7);
  check(101, 9900, 0);
  check(102, 7, 7);
  check(103, 99, 99);
}

TEST(RuleReader, SplitsGroupsFromCompliance) {
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> compliance;
  split_groups("a,pci_dss_10.2.4,b,,gdpr_IV,pci_dss_1,xpci_dss_2,tsc_", groups, compliance);
  EXPECT_EQ(groups, (std::vector<std::string>{"a", "b", "xpci_dss_2"}));
  ASSERT_EQ(compliance.size(), 3u);
  EXPECT_EQ(compliance[0].first, "pci_dss");
  EXPECT_EQ(compliance[0].second, (std::vector<std::string>{"10.2.4", "1"}));
  EXPECT_EQ(compliance[2].second, (std::vector<std::string>{""}));
}

TEST(RuleReader, CutsDescriptionsAtVariables) {
  slot_names slots;
  const auto parts = split_description("a $(srcip)$(k) $k $(open", slots);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].literal, "a ");
  EXPECT_EQ(parts[1].value->kind, operand_kind::fixed);
  EXPECT_EQ(parts[2].value->kind, operand_kind::dynamic);
  EXPECT_EQ(slots.name_of(parts[2].value->slot), "k");
  EXPECT_EQ(parts[3].literal, " $k $(open");
}

} // namespace
} // namespace picket::engine
