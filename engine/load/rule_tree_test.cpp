#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::find_code;

std::string rule_text(int id, int level, const std::string& inside, const std::string& attributes = "") {
  return "<rule id=\"" + std::to_string(id) + "\" level=\"" + std::to_string(level) + "\" " + attributes + ">"
         + inside + "<description>d</description></rule>\n";
}

/// Ids of the children of the place that `path` leads to, from a root.
std::vector<std::uint32_t> children(const ruleset& rules, const std::vector<std::uint32_t>& path) {
  const auto& tree = rules.tree;
  std::uint32_t first = 0;
  std::uint32_t count = tree.roots;
  for (const auto id : path) {
    std::uint32_t at = first;
    while (at < first + count && tree.rules[tree.places[at].rule]->id != id)
      ++at;
    if (at == first + count) return {};
    first = tree.places[at].first_child;
    count = tree.places[at].children;
  }
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < count; ++i)
    ids.push_back(tree.rules[tree.places[first + i].rule]->id);
  return ids;
}

using ids = std::vector<std::uint32_t>;

std::shared_ptr<const ruleset> built(const std::string& groups) { return compile_rules(groups).ruleset; }
std::string group(const std::string& name, const std::string& rules) {
  return "<group name=\"" + name + "\">" + rules + "</group>\n";
}

TEST(RuleTree, OrdersSiblingsByLevelThenDefinition) {
  const auto rules =
      built(group("g,", rule_text(100, 3, "") + rule_text(101, 9, "") + rule_text(102, 0, "")
                            + rule_text(103, 9, "") + rule_text(104, 12, "", "accuracy=\"0\"")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(children(*rules, {1}), (ids{102, 101, 103, 100, 104}));
}

TEST(RuleTree, AttachesAtEveryPlaceOfTheParents) {
  const auto rules = built(group("g,", rule_text(100, 3, "") + rule_text(101, 3, "")
                                           + rule_text(102, 7, "<if_sid>100, 101</if_sid>")
                                           + rule_text(103, 8, "<if_sid>102</if_sid>")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->find_rule(102)->places, 2u);
  EXPECT_EQ(rules->find_rule(103)->places, 2u);
  EXPECT_EQ(children(*rules, {1, 101, 102}), (ids{103}));
}

TEST(RuleTree, SearchOfAnIdEndsAtItsFirstPlaceInAListOfSiblings) {
  // 102 stands twice below 100; a child is found below the first of the two only.
  const auto rules = built(group("g,", rule_text(100, 3, "") + rule_text(102, 7, "<if_sid>100,100</if_sid>")
                                           + rule_text(103, 8, "<if_sid>102</if_sid>")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->find_rule(102)->places, 2u);
  EXPECT_EQ(rules->find_rule(103)->places, 1u);
}

TEST(RuleTree, PlacesBehindAWantedSiblingAreSkipped) {
  // Below 100 stand 101 (level 9) and 102 (level 5); 101 also stands below 102. A child of 101 is not placed
  // there.
  const auto rules = built(group("g,", rule_text(100, 3, "") + rule_text(102, 5, "<if_sid>100</if_sid>")
                                           + rule_text(101, 9, "<if_sid>100,102</if_sid>")
                                           + rule_text(103, 8, "<if_sid>101</if_sid>")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->find_rule(101)->places, 2u);
  EXPECT_EQ(rules->find_rule(103)->places, 1u);
  EXPECT_EQ(children(*rules, {1, 100, 101}), (ids{103}));
}

TEST(RuleTree, IfLevelTakesLevelZeroToo) {
  const auto rules = built(group("g,", rule_text(100, 2, "") + rule_text(102, 7, "<if_level>5</if_level>")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(children(*rules, {1}), (ids{102, 100}));
  EXPECT_EQ(rules->find_rule(102)->places, 1u);
}

TEST(RuleTree, IfGroupIsASubstringWithAnchorsAndAlternatives) {
  const auto rules =
      built(group("web_attack,", rule_text(100, 3, "")) + group("other,", rule_text(101, 3, ""))
            + group("x,", rule_text(102, 7, "<if_group>ATTACK</if_group>")
                              + rule_text(103, 6, "<if_group>^nosuch|^oth</if_group>")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(children(*rules, {1, 100}), (ids{102}));
  EXPECT_EQ(children(*rules, {1, 101}), (ids{103}));
}

TEST(RuleTree, OverwriteKeepsPlaceChildrenAndOrder) {
  const auto rules = built(group("g,", rule_text(100, 3, "") + rule_text(101, 5, "<if_sid>100</if_sid>")
                                           + rule_text(102, 4, "<if_sid>100</if_sid>")
                                           + rule_text(103, 4, "<if_sid>102</if_sid>")
                                           + rule_text(102, 12, "<match>q</match>", "overwrite=\"yes\"")));
  ASSERT_TRUE(rules);
  EXPECT_EQ(children(*rules, {1, 100}), (ids{101, 102}));
  EXPECT_EQ(children(*rules, {1, 100, 102}), (ids{103}));
  EXPECT_EQ(rules->find_rule(102)->level, 12);
  EXPECT_EQ(rules->find_rule(102)->conditions.size(), 1u);
  EXPECT_EQ(rules->summary.overwrites, 1u);
  EXPECT_EQ(rules->summary.rules_dropped, 0u);
}

TEST(RuleTree, GroupListsCountMembersByTheirPlaces) {
  const auto rules = built(group("a,", rule_text(100, 3, "") + rule_text(101, 3, "")
                                           + rule_text(102, 4, "<if_sid>100,101</if_sid>"))
                           + group("x,", rule_text(103, 7, "<if_matched_group>a</if_matched_group>")));
  ASSERT_TRUE(rules);
  const auto& list = rules->tree.lists.at(rules->find_rule(103)->look_back.list);
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> members{{1, 1}, {100, 1}, {101, 1}, {102, 2}};
  EXPECT_EQ(list.members, members) << "the pattern is a substring of 'base,' as well";
}

TEST(RuleTree, DroppedRulesTakeTheirChildrenWithThem) {
  const auto compiled = compile_rules(
      group("g,", rule_text(101, 3, "<if_sid>100</if_sid>") + rule_text(102, 3, "<if_sid>101</if_sid>")));
  ASSERT_TRUE(compiled.ruleset);
  EXPECT_EQ(compiled.ruleset->summary.rules_dropped, 2u);
  EXPECT_EQ(compiled.ruleset->find_rule(102), nullptr);
}

TEST(RuleTree, RefusesTreesThatWouldExplode) {
  // Each rule goes below every place of all before it: the places double.
  std::string rules;
  for (int i = 0; i < 40; ++i)
    rules += rule_text(100 + i, 3, i == 0 ? "" : "<if_group>^g</if_group>");
  compile_options options;
  options.places_max = 10'000;
  const auto compiled = compile_rules(group("g,", rules), options);
  EXPECT_FALSE(compiled.ruleset);
  EXPECT_NE(find_code(compiled.diagnostics, "too-many-places"), nullptr);
}

TEST(RuleTree, RefusesChainsThatAreTooDeep) {
  std::string rules;
  for (int i = 0; i < 300; ++i)
    rules += rule_text(100 + i, 3, i == 0 ? "" : "<if_sid>" + std::to_string(99 + i) + "</if_sid>");
  const auto compiled = compile_rules(group("g,", rules));
  EXPECT_FALSE(compiled.ruleset);
  EXPECT_NE(find_code(compiled.diagnostics, "tree-too-deep"), nullptr);
}

TEST(RuleTree, ManySiblingsLoadInReasonableTime) {
  std::string rules;
  for (int i = 0; i < 20'000; ++i)
    rules += rule_text(1000 + i, 1 + i % 16,
                       i < 100 ? "" : "<if_sid>" + std::to_string(1000 + i % 100) + "</if_sid>");
  const auto begin = std::chrono::steady_clock::now();
  const auto compiled = compile_rules(group("g,", rules));
  EXPECT_TRUE(compiled.ruleset);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

} // namespace
} // namespace picket::engine
