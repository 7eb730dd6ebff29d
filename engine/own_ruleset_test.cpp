// Our own rule set (config/ruleset): it loads without a finding, every test line ends in its rule, every rule
// has one.
#include "engine/logtest.hpp"
#include "engine/testing/rules_fixture.hpp"
#include "picket_paths.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace picket::engine {
namespace {

const std::filesystem::path folder = std::filesystem::path(PICKET_SOURCE_DIR) / "config/ruleset";

compiled load() {
  auto files = read_ruleset_directory(folder);
  EXPECT_TRUE(files) << to_string(files.error());
  return compile(*files);
}

struct test_line {
  std::string where; ///< file:line
  std::string rule, level, decoder, location, line;
  int times = 1;
  bool new_session = false;
};

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; fields.size() < 5 && std::getline(in, field, '\t');)
    fields.push_back(field);
  std::string rest;
  std::getline(in, rest);
  fields.push_back(rest);
  return fields;
}

std::vector<test_line> read_tests(const std::filesystem::path& file) {
  std::vector<test_line> tests;
  std::ifstream in(file);
  int number = 0;
  bool fresh = true;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.empty()) fresh = true;
    if (line.empty() || line[0] == '#') continue;
    const auto fields = fields_of(line);
    test_line test;
    test.where = file.filename().string() + ":" + std::to_string(number);
    EXPECT_EQ(fields.size(), 6u) << test.where;
    if (fields.size() != 6) continue;
    test.rule = fields[0];
    test.level = fields[1];
    test.decoder = fields[2];
    test.times = std::stoi(fields[3]);
    test.location = fields[4] == "-" ? "/var/log/test" : fields[4];
    test.line = fields[5];
    test.new_session = fresh;
    fresh = false;
    tests.push_back(std::move(test));
  }
  return tests;
}

std::string numbered(std::string text, int number) {
  for (auto at = text.find("{n}"); at != std::string::npos; at = text.find("{n}"))
    text.replace(at, 3, std::to_string(number));
  return text;
}

TEST(OwnRuleSet, LoadsWithoutAFinding) {
  const auto compiled = load();
  ASSERT_TRUE(compiled.ruleset) << to_string(compiled.diagnostics.at(0));
  for (const auto& each : compiled.diagnostics)
    ADD_FAILURE() << to_string(each);
  for (const auto& rule : compiled.ruleset->tree.rules) {
    EXPECT_TRUE(rule->root || (rule->id >= 900000 && rule->id <= 919999)) << rule->id;
    EXPECT_EQ(rule->mitre.techniques.size(), rule->mitre_ids.techniques.size())
        << rule->id << " names an unknown id";
  }
}

TEST(OwnRuleSet, EveryTestLineEndsInItsRuleAndEveryRuleHasOne) {
  const auto compiled = load();
  ASSERT_TRUE(compiled.ruleset);
  std::set<std::string> reached;
  for (const auto& file : std::filesystem::directory_iterator(folder / "tests")) {
    std::optional<logtest_session> session;
    for (const auto& test : read_tests(file.path())) {
      if (test.new_session || !session) session.emplace(compiled.ruleset, analysis_path::logtest);
      result<logtest_answer> answer;
      for (int n = 1; n <= test.times; ++n) {
        answer = session->run(numbered(test.line, n), numbered(test.location, n), testing::noon_ms);
        const bool early = n < test.times && answer && answer->rule;
        if (early) {
          EXPECT_NE(std::to_string(answer->rule->id), test.rule) << test.where << ", already at " << n;
        }
      }
      ASSERT_TRUE(answer) << test.where;
      const auto rule = answer->rule ? std::to_string(answer->rule->id) : std::string{"0"};
      if (test.rule != "-") {
        EXPECT_EQ(rule, test.rule) << test.where << "\n" << answer->document;
        reached.insert(test.rule);
      }
      if (test.level != "-" && answer->rule) {
        EXPECT_EQ(std::to_string(answer->rule->level), test.level) << test.where;
      }
      if (test.decoder != "-") {
        EXPECT_EQ(answer->decoder.value_or(""), test.decoder) << test.where;
      }
    }
  }
  for (const auto& rule : compiled.ruleset->tree.rules) {
    // Roots and groupings decide nothing themselves.
    if (rule->noalert) continue;
    EXPECT_EQ(reached.count(std::to_string(rule->id)), 1u) << "no test line for rule " << rule->id;
  }
}

TEST(OwnRuleSet, AlertsNameComplianceAndTechniques) {
  const auto compiled = load();
  ASSERT_TRUE(compiled.ruleset);
  for (const auto& rule : compiled.ruleset->tree.rules) {
    if (rule->level < 9) continue;
    std::set<std::string> names;
    for (const auto& [name, values] : rule->compliance)
      names.insert(name);
    for (const auto* name : {"pci_dss", "gdpr", "tsc"})
      EXPECT_EQ(names.count(name), 1u) << rule->id << " lacks " << name;
    EXPECT_FALSE(rule->mitre.tactics.empty()) << rule->id;
  }
}

TEST(OwnRuleSet, TheSamplesRaiseAGoodSpreadOfAlerts) {
  const auto compiled = load();
  ASSERT_TRUE(compiled.ruleset);
  std::set<std::uint32_t> seen;
  for (const auto* name : {"auth.log", "nginx-access.log"}) {
    logtest_session session(compiled.ruleset, analysis_path::live);
    std::ifstream in(std::filesystem::path(PICKET_SOURCE_DIR) / "config/samples" / name);
    ASSERT_TRUE(in) << name;
    for (std::string line; std::getline(in, line);) {
      const auto answer = session.run(line, "/var/log/x", testing::noon_ms);
      ASSERT_TRUE(answer);
      EXPECT_TRUE(answer->decoder || answer->program_name) << line;
      if (answer->alert) seen.insert(answer->rule->id);
    }
  }
  for (const auto id : {901020u, 901021u, 901023u, 901024u, 902006u, 903003u, 903008u, 903020u, 903060u,
                        904013u, 904020u, 904021u, 904022u, 904023u})
    EXPECT_EQ(seen.count(id), 1u) << id;
  EXPECT_GE(seen.size(), 40u);
}

} // namespace
} // namespace picket::engine
