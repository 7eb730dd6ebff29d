#include "node/picketctl/ruleset_check.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/scratch_directory.hpp"
#include "node/picketctl/testing.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace picket::ctl {
namespace {

using ::testing::HasSubstr;
using testing::run_ctl;

constexpr auto good_decoders =
    "<decoder name=\"json\">\n  <prematch>^{</prematch>\n</decoder>\n"
    "<decoder name=\"probe\">\n  <program_name>^probe</program_name>\n</decoder>\n";
constexpr auto good_rules = "<group name=\"probe,\">\n"
                            "  <rule id=\"1\" level=\"0\" noalert=\"1\">\n"
                            "    <category>syslog</category>\n"
                            "    <description>All.</description>\n"
                            "  </rule>\n"
                            "  <rule id=\"100\" level=\"3\">\n"
                            "    <decoded_as>probe</decoded_as>\n"
                            "    <description>A probe.</description>\n"
                            "  </rule>\n"
                            "</group>\n";

class RulesetCheck : public ::testing::Test {
protected:
  void SetUp() override {
    scratch.write("decoders/0010-probe.xml", good_decoders);
    scratch.write("rules/0010-probe.xml", good_rules);
  }

  testing::outcome check(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"ruleset", "check", scratch.path().string()});
    return run_ctl(options);
  }

  picket::testing::scratch_directory scratch;
};

TEST_F(RulesetCheck, ACleanOneSaysWhatIsInIt) {
  auto got = check();
  EXPECT_EQ(got.code, exit_code::ok);
  EXPECT_EQ(
      got.out,
      "2 files, 2 decoders, 2 rules, 0 lists\nelements not evaluated: none\n0 errors, 0 warnings, 0 notes\n");
}

TEST_F(RulesetCheck, EveryErrorHasItsLineMarkedAndAMend) {
  scratch.write("rules/0020-local.xml", "<group name=\"local,\">\n"
                                        "  <rule id=\"101\" level=\"3\">\n"
                                        "    <matsch>x</matsch>\n"
                                        "    <description>One.</description>\n"
                                        "  </rule>\n"
                                        "  <rule id=\"102\" level=\"99\">\n"
                                        "    <description>Two.</description>\n"
                                        "  </rule>\n"
                                        "</group>\n");
  scratch.write("rules/0030-broken.xml", "<group name=\"x,\">\n  <rule id=\"103\" level=\"3\">\n</group>\n");
  auto got = check();
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_THAT(got.out, HasSubstr("rules/0020-local.xml:3:5: error: "));
  EXPECT_THAT(got.out, HasSubstr("    3 |     <matsch>x</matsch>\n      |     ^\n      = mend: "));
  EXPECT_THAT(got.out, HasSubstr("did you mean 'match'"));
  EXPECT_THAT(got.out, HasSubstr("rules/0020-local.xml:6:"));
  EXPECT_THAT(got.out, HasSubstr("rules/0030-broken.xml:"));
  EXPECT_THAT(got.out, HasSubstr("4 files; the rule set does not load\n3 errors"));
  auto as_json = json::parse(check({"--json"}).out);
  EXPECT_EQ(as_json["errors"], 3);
  EXPECT_EQ(as_json["findings"][0]["file"], "rules/0020-local.xml");
  EXPECT_EQ(as_json["findings"][0]["line"], 3);
  EXPECT_FALSE(as_json.contains("summary"));
}

TEST_F(RulesetCheck, WarningsFailOnlyWhenStrict) {
  scratch.write("rules/0020-local.xml", "<group name=\"local,\">\n"
                                        "  <rule id=\"101\" level=\"3\">\n"
                                        "    <if_sid>999</if_sid>\n"
                                        "    <description>One.</description>\n"
                                        "  </rule>\n"
                                        "</group>\n");
  auto got = check();
  EXPECT_EQ(got.code, exit_code::ok) << got.out;
  EXPECT_THAT(got.out, HasSubstr("warning: rule 101: "));
  EXPECT_EQ(check({"--strict"}).code, exit_code::no);
}

TEST_F(RulesetCheck, ADirectoryThatIsNoneIsAnError) {
  auto missing = run_ctl({"ruleset", "check", (scratch.path() / "none").string()});
  EXPECT_EQ(missing.code, exit_code::no);
  EXPECT_THAT(missing.err, HasSubstr("no such directory"));
  EXPECT_EQ(run_ctl({"ruleset", "check", scratch.write("file", "").string()}).code, exit_code::no);
  std::filesystem::remove_all(scratch.path() / "rules");
  EXPECT_EQ(check().code, exit_code::no);
}

TEST_F(RulesetCheck, OddFilesAreNoReasonToCrash) {
  std::filesystem::create_directory(scratch.path() / "rules" / "directory.xml");
  std::filesystem::create_symlink("0900-loop.xml", scratch.path() / "rules" / "0900-loop.xml");
  std::filesystem::create_directory_symlink(".", scratch.path() / "decoders" / "again");
  scratch.write("rules/0100-empty.xml", "");
  scratch.write("rules/0200-nul.xml", std::string_view("<group\0>", 8));
  scratch.write("rules/0300-long.xml", "<!-- " + std::string(1'000'000, 'a'));
  scratch.write("rules/0400-deep.xml", [] {
    std::string deep;
    for (int i = 0; i < 100'000; ++i)
      deep += "<group>";
    return deep;
  }());
  scratch.write("rules/0500-control.xml", "<group name=\"\x1b[2J,\">\n<ru\x1b[2Jle/></group>\n");
  scratch.write("lists/sub/bad", "no colon\n");
  auto got = check();
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_EQ(got.out.find('\x1b'), std::string::npos);
  EXPECT_LT(got.out.size(), 100'000u);
}

TEST_F(RulesetCheck, OurOwnRuleSetIsClean) {
  auto got = run_ctl({"ruleset", "check", "--strict"});
  EXPECT_EQ(got.code, exit_code::ok) << got.out;
}

/// Our own rule set with random damage: any outcome but a crash, and every finding can be shown.
TEST(RulesetCheckDamage, NoDamageCrashesIt) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random{seed};
  auto sound = read_ruleset({});
  ASSERT_TRUE(sound) << to_string(sound.error());
  auto below = [&](std::size_t limit) { return limit == 0 ? 0 : random() % limit; };
  const std::string_view pieces[] = {
      "<", ">", "</", "\"", "<!--", "-->", "&", "\\", "(", "$(", "<rule id=\"1\">", "\n", "\xff"};
  for (int round = 0; round < 150; ++round) {
    auto files = *sound;
    for (auto damage = 1 + below(6); damage > 0; --damage) {
      auto& bytes = files[below(files.size())].bytes;
      auto at = below(bytes.size());
      switch (below(5)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.insert(at, pieces[below(std::size(pieces))]);
        break;
      case 2:
        bytes.erase(at, below(40));
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(400)));
        break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
      }
    }
    auto report = check_ruleset(std::move(files), {});
    EXPECT_EQ(report.errors == 0, report.compiled.ruleset != nullptr);
    EXPECT_FALSE(summary_text(report).empty());
    for (const auto& finding : report.compiled.diagnostics)
      EXPECT_FALSE(finding.hint.empty()) << engine::to_string(finding) << " says no way to mend it";
    auto text = findings_text(report, true);
    EXPECT_EQ(text.empty(), report.compiled.diagnostics.empty());
    EXPECT_FALSE(to_line(report_json(report, true)).empty());
  }
}

} // namespace
} // namespace picket::ctl
