#include "engine/testing/reference_ruleset.hpp"
#include "engine/testing/rules_fixture.hpp"
#include "picket_paths.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace picket::engine {
namespace {

using testing::find_code;
using testing::make_file;
using testing::usual_decoders;
using testing::usual_root;

TEST(Compile, GivesARuleSetExactlyWithoutErrors) {
  EXPECT_TRUE(testing::compile_rules("").ruleset) << "an empty rule file is fine";
  EXPECT_FALSE(testing::compile_rules("only text").ruleset) << "a file without elements is not";
  EXPECT_FALSE(testing::compile_rules("<rules></rules>").ruleset);
  EXPECT_FALSE(testing::compile_rules("<group name=\"g,\"></group>").ruleset);
  EXPECT_FALSE(testing::compile_rules("<group name=\"g,\" x=\"1\"><rule/></group>").ruleset);
  EXPECT_FALSE(testing::compile_rules("<group name=\"g,\"><rule").ruleset);
}

TEST(Compile, ReadsRuleFilesInTheOrderOfTheirBaseNames) {
  const std::string child = testing::in_group(
      R"(<rule id="101" level="5"><if_sid>100</if_sid><description>d</description></rule>)");
  const std::string parent =
      testing::in_group(R"(<rule id="100" level="3"><description>d</description></rule>)");
  const auto with = [&](const char* of_child, const char* of_parent) {
    std::vector<ruleset_file> files;
    files.push_back(make_file(file_kind::rule, of_child, child));
    files.push_back(make_file(file_kind::rule, of_parent, parent));
    files.push_back(make_file(file_kind::rule, "a/0000.xml", usual_root));
    files.push_back(make_file(file_kind::decoder, "d.xml", usual_decoders));
    return compile(files).ruleset->find_rule(101) != nullptr;
  };
  EXPECT_TRUE(with("a/0200-b.xml", "z/0100-a.xml"));
  EXPECT_FALSE(with("z/0100-a.xml", "a/0200-b.xml"));
}

TEST(Compile, DigestNamesFilesAndOrder) {
  std::vector<ruleset_file> files;
  files.push_back(make_file(file_kind::decoder, "d.xml", usual_decoders));
  files.push_back(make_file(file_kind::rule, "r.xml", usual_root));
  const auto first = compile(files).ruleset->digest;
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(compile(files).ruleset->digest, first);
  files[1].bytes += "\n";
  EXPECT_NE(compile(files).ruleset->digest, first);
}

TEST(Compile, SharesWindowsOfCompositesThatAgree) {
  const auto compiled = testing::compile_rules(testing::in_group(R"(
<rule id="100" level="3"><description>d</description></rule>
<rule id="101" level="5" frequency="4" timeframe="60"><if_matched_sid>100</if_matched_sid><same_srcip/><description>d</description></rule>
<rule id="102" level="6" frequency="9" timeframe="30"><if_matched_sid>100</if_matched_sid><same_source_ip/><description>d</description></rule>
<rule id="103" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><same_srcip/><different_url/><description>d</description></rule>
<rule id="104" level="8" frequency="3"><if_matched_sid>100</if_matched_sid><same_srcip/><global_frequency/><description>d</description></rule>)"));
  ASSERT_TRUE(compiled.ruleset);
  const auto& rules = *compiled.ruleset;
  EXPECT_EQ(rules.find_rule(101)->look_back.index, rules.find_rule(102)->look_back.index);
  EXPECT_EQ(rules.find_rule(101)->look_back.index, rules.find_rule(103)->look_back.index);
  EXPECT_NE(rules.find_rule(101)->look_back.index, rules.find_rule(104)->look_back.index);
  const auto& shared = rules.indexes[rules.find_rule(101)->look_back.index];
  EXPECT_EQ(shared.entries_max, rules.options.different_entries_max);
  EXPECT_EQ(shared.timeframe_s, 360u);
  EXPECT_EQ(shared.content, "id 100; agent; srcip");
  EXPECT_EQ(rules.stored.size(), 1u) << "only what different_* compares is kept";
}

TEST(Techniques, ReadsTacticsAndTechniques) {
  technique_table table;
  diagnostics out;
  table.add_file("t.tsv", "# comment\ntactic\tTA1\tOne\r\ntechnique\tT1\tTech\tTA1,TA2\nnonsense\n", out);
  ASSERT_NE(table.find("T1"), nullptr);
  EXPECT_EQ(table.find("T1")->tactic_ids, (std::vector<std::string>{"TA1", "TA2"}));
  EXPECT_EQ(table.tactic_name("TA1"), "One");
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].place.line, 4);
}

/// rules.md 12.
const std::vector<std::pair<const char*, std::size_t>> stock_elements{{"if_sid", 3865},
                                                                      {"field", 3183},
                                                                      {"field type=pcre2", 339},
                                                                      {"field type=osregex", 175},
                                                                      {"field negate", 29},
                                                                      {"group", 2443},
                                                                      {"options", 2271},
                                                                      {"options no_full_log", 2265},
                                                                      {"options no_log", 5},
                                                                      {"options no_email_alert", 1},
                                                                      {"mitre", 1065},
                                                                      {"decoded_as", 233},
                                                                      {"if_matched_sid", 205},
                                                                      {"regex type=pcre2", 5},
                                                                      {"if_group", 130},
                                                                      {"same_source_ip", 123},
                                                                      {"info", 108},
                                                                      {"action", 77},
                                                                      {"action type=pcre2", 11},
                                                                      {"status", 72},
                                                                      {"url", 47},
                                                                      {"category", 35},
                                                                      {"program_name", 33},
                                                                      {"list", 25},
                                                                      {"extra_data", 9},
                                                                      {"if_fts", 8},
                                                                      {"same_field", 7},
                                                                      {"if_matched_group", 6},
                                                                      {"same_id", 5},
                                                                      {"different_url", 5},
                                                                      {"user", 5},
                                                                      {"check_diff", 3},
                                                                      {"compiled_rule", 3},
                                                                      {"check_if_ignored", 3},
                                                                      {"same_user", 3},
                                                                      {"ignore", 2},
                                                                      {"location", 2},
                                                                      {"hostname", 1},
                                                                      {"time", 1},
                                                                      {"weekday", 1},
                                                                      {"same_location", 1},
                                                                      {"if_level", 0},
                                                                      {"if_matched_regex", 0},
                                                                      {"global_frequency", 0},
                                                                      {"match type=pcre2", 9}};

/// Every file of the stock rule set, 0215 included, as rules.md 12 counts it.
class StockRuleSet : public ::testing::Test {
protected:
  void SetUp() override {
    if (!std::filesystem::exists(PICKET_REFERENCE_DATA))
      GTEST_SKIP() << "no reference data at " PICKET_REFERENCE_DATA;
  }
};

TEST_F(StockRuleSet, LoadsWithTheCountsOfTheSpecification) {
  auto files = read_ruleset_directory(std::filesystem::path(PICKET_REFERENCE_DATA) / "wazuh-4.14.7");
  ASSERT_TRUE(files);
  const auto compiled = compile(*files);
  ASSERT_TRUE(compiled.ruleset) << to_string(compiled.diagnostics.at(0));
  const auto& summary = compiled.ruleset->summary;
  EXPECT_EQ(summary.rules_read, 4512u);
  EXPECT_EQ(summary.rules, 4512u);
  EXPECT_TRUE(summary.counts.not_evaluated.empty());
  const auto& counts = summary.counts.elements;
  const auto of = [&](const char* name) {
    const auto at = counts.find(name);
    return at == counts.end() ? std::size_t{0} : at->second;
  };
  for (const auto& [name, count] : stock_elements)
    EXPECT_EQ(of(name), count) << name;
}

TEST_F(StockRuleSet, HasTheAttributesOfTheSpecification) {
  auto files = read_ruleset_directory(std::filesystem::path(PICKET_REFERENCE_DATA) / "wazuh-4.14.7");
  ASSERT_TRUE(files);
  const auto compiled = compile(*files);
  ASSERT_TRUE(compiled.ruleset);
  const auto& attributes = compiled.ruleset->summary.counts.attributes;
  EXPECT_EQ(attributes.at("frequency"), 208u);
  EXPECT_EQ(attributes.at("timeframe"), 200u);
  EXPECT_EQ(attributes.at("ignore"), 49u);
  EXPECT_EQ(attributes.at("noalert"), 40u);
  EXPECT_EQ(attributes.at("maxsize"), 2u);
  EXPECT_EQ(attributes.count("overwrite"), 0u);
}

TEST_F(StockRuleSet, LoadsByDefaultWithin1SecondAndHasTheMembersOfTheSpecification) {
  const auto files = testing::reference_ruleset::files(PICKET_REFERENCE_DATA, false);
  if (files.empty()) GTEST_SKIP() << "make-test-ruleset did not run";
  const auto compiled = compile(files);
  ASSERT_TRUE(compiled.ruleset);
  const auto& rules = *compiled.ruleset;
  EXPECT_EQ(rules.summary.rules, 4510u);
  // rules.md 12: size of the group lists, and members that stand several times.
  const auto members = [&](std::uint32_t id) {
    return rules.tree.lists.at(rules.find_rule(id)->look_back.list).members;
  };
  const auto times = [&](std::uint32_t id, std::uint32_t member) {
    for (const auto& [of, count] : members(id))
      if (of == member) return count;
    return 0u;
  };
  EXPECT_EQ(members(40601).size(), 11u);
  EXPECT_EQ(members(40111).size(), 70u);
  EXPECT_EQ(members(60204).size(), 110u);
  EXPECT_EQ(members(40112).size(), 33u);
  EXPECT_EQ(members(40501).size(), 15u);
  EXPECT_EQ(members(40113).size(), 11u);
  EXPECT_EQ(times(40111, 5758), 2u);
  EXPECT_EQ(times(40112, 40111), 74u);
  EXPECT_EQ(times(40501, 40101), 39u);
  EXPECT_EQ(times(40501, 40113), 25u);
  EXPECT_EQ(times(40113, 7705), 3u);
}

} // namespace
} // namespace picket::engine
