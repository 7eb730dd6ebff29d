#include "engine/load/ruleset_block.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace picket::engine {
namespace {

struct RulesetBlock : ::testing::Test {
  std::string decoders(const std::string& block) {
    findings.clear();
    auto roots = xml::read("ossec.conf", block).value();
    auto list = [&](const std::string& directory) {
      std::vector<std::string> names;
      for (const auto& file : files)
        if (file.substr(0, file.rfind('/')) == directory) names.push_back(file.substr(file.rfind('/') + 1));
      return names;
    };
    auto exists = [&](const std::string& file) {
      return std::find(files.begin(), files.end(), file) != files.end();
    };
    chosen = select_ruleset_files(roots, list, exists, findings);
    std::string text;
    for (const auto& each : chosen.decoders)
      text += each + " ";
    return text;
  }

  std::vector<std::string> files = {"ruleset/decoders/b.xml", "ruleset/decoders/Z.XML",
                                    "ruleset/decoders/x.txt", "etc/decoders/a.xml", "ruleset/rules/r.xml"};
  ruleset_selection chosen;
  diagnostics findings;
};

// decoders.md 1.1
TEST_F(RulesetBlock, AllDirectoriesAreSortedTogether) {
  EXPECT_EQ(decoders("<ruleset><decoder_dir>ruleset/decoders</decoder_dir><decoder_dir>etc/decoders</"
                     "decoder_dir></ruleset>"),
            "ruleset/decoders/Z.XML etc/decoders/a.xml ruleset/decoders/b.xml ");
  EXPECT_EQ(chosen.rules, std::vector<std::string>{"ruleset/rules/r.xml"}) << "the default";
}

TEST_F(RulesetBlock, PatternsExcludesIncludes) {
  EXPECT_EQ(decoders("<ruleset><decoder_dir pattern=\".txt$\">ruleset/decoders</decoder_dir></ruleset>"),
            "ruleset/decoders/x.txt ");
  EXPECT_EQ(decoders("<ruleset><decoder_exclude>b.xml</decoder_exclude></ruleset>"),
            "ruleset/decoders/Z.XML ");
  EXPECT_EQ(decoders("<ruleset><decoder_exclude>b.xml</decoder_exclude><decoder_include>b.xml</"
                     "decoder_include></ruleset>"),
            "ruleset/decoders/Z.XML ruleset/decoders/b.xml ");
}

TEST_F(RulesetBlock, ListsLoseTheirExtension) {
  decoders("<ruleset><list>etc/lists/a.cdb</list><list>plain</list></ruleset>");
  EXPECT_EQ(chosen.lists, (std::vector<std::string>{"etc/lists/a", "ruleset/rules/plain"}));
}

TEST_F(RulesetBlock, Findings) {
  decoders("<ruleset>\n <decoder_dirs>x</decoder_dirs></ruleset>");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].place.line, 2);
  EXPECT_NE(findings[0].hint.find("did you mean 'decoder_dir'"), std::string::npos);
  decoders("<ruleset><decoder_dir foo=\"1\">x</decoder_dir></ruleset>");
  EXPECT_TRUE(has_errors(findings));
  decoders("<ruleset><decoder_dir pattern=\"(\">x</decoder_dir></ruleset>");
  EXPECT_TRUE(has_errors(findings));
  decoders("<ruleset><decoder_include>nope.xml</decoder_include></ruleset>");
  EXPECT_FALSE(has_errors(findings));
  EXPECT_EQ(findings.at(0).code, "missing-file");
  EXPECT_EQ(decoders("<ruleset><decoder_dir>etc/decoders</decoder_dir></ruleset><ruleset/>"),
            "ruleset/decoders/Z.XML ruleset/decoders/b.xml ")
      << "only the last block counts";
  EXPECT_EQ(findings.at(0).severity, severity::note);
}

} // namespace
} // namespace picket::engine
