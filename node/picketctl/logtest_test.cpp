#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/testing/scratch_directory.hpp"
#include "engine/testing/reference_ruleset.hpp"
#include "node/picketctl/logtest_cases.hpp"
#include "node/picketctl/testing.hpp"
#include "picket_paths.hpp"

namespace picket::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::run_ctl;
using ::testing::StartsWith;

constexpr auto decoders = "<decoder name=\"json\">\n"
                          "  <prematch>^{</prematch>\n"
                          "</decoder>\n"
                          "<decoder name=\"probe\">\n"
                          "  <program_name>^probe</program_name>\n"
                          "</decoder>\n"
                          "<decoder name=\"probe-user\">\n"
                          "  <parent>probe</parent>\n"
                          "  <regex>user=(\\w+) from=(\\S+)</regex>\n"
                          "  <order>srcuser, srcip</order>\n"
                          "</decoder>\n";
constexpr auto rules = "<group name=\"probe,\">\n"
                       "  <rule id=\"1\" level=\"0\" noalert=\"1\">\n"
                       "    <category>syslog</category>\n"
                       "    <description>All.</description>\n"
                       "  </rule>\n"
                       "  <rule id=\"100100\" level=\"0\">\n"
                       "    <decoded_as>probe</decoded_as>\n"
                       "    <description>A probe.</description>\n"
                       "  </rule>\n"
                       "  <rule id=\"100101\" level=\"5\">\n"
                       "    <if_sid>100100</if_sid>\n"
                       "    <match>failed</match>\n"
                       "    <description>Failed for $(srcuser).</description>\n"
                       "    <mitre><id>T1110</id></mitre>\n"
                       "    <group>authentication_failed,pci_dss_10.2.4,</group>\n"
                       "  </rule>\n"
                       "  <rule id=\"100102\" level=\"10\" frequency=\"3\" timeframe=\"60\">\n"
                       "    <if_matched_sid>100101</if_matched_sid>\n"
                       "    <same_source_ip />\n"
                       "    <description>Many failures.</description>\n"
                       "  </rule>\n"
                       "</group>\n";
constexpr auto failed = "Nov 24 10:00:01 web-01 probe[1]: failed user=alice from=192.0.2.7";
constexpr auto quiet = "Nov 24 10:00:01 web-01 probe[1]: all is well";

class Logtest : public ::testing::Test {
protected:
  void SetUp() override {
    scratch.write("decoders/0010-probe.xml", decoders);
    scratch.write("rules/0010-probe.xml", rules);
  }

  testing::outcome run_on(std::vector<std::string> options, const std::string& input,
                          bool interactive = false) {
    options.insert(options.begin(), {"logtest", "--ruleset", scratch.path().string()});
    return run_ctl(options, input, {}, interactive);
  }

  /// The answers of `--json`, an object a line.
  std::vector<json> answers(std::vector<std::string> options, const std::string& input) {
    options.push_back("--json");
    auto got = run_on(options, input);
    EXPECT_EQ(got.code, exit_code::ok) << got.err;
    std::vector<json> all;
    std::istringstream lines{got.out};
    for (std::string line; std::getline(lines, line);)
      all.push_back(json::parse(line));
    return all;
  }

  picket::testing::scratch_directory scratch;
};

TEST_F(Logtest, EachLineIsAnObjectOfItsOwn) {
  auto got = answers({}, std::string{failed} + "\r\n" + quiet + "\nno program");
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0]["predecoder"],
            (json{{"program_name", "probe"}, {"timestamp", "Nov 24 10:00:01"}, {"hostname", "web-01"}}));
  EXPECT_EQ(got[0]["decoder"], (json{{"name", "probe"}}));
  EXPECT_EQ(got[0]["data"], (json{{"srcip", "192.0.2.7"}, {"srcuser", "alice"}}));
  const auto& rule = got[0]["rule"];
  EXPECT_EQ(rule["id"], "100101");
  EXPECT_EQ(rule["level"], 5);
  EXPECT_EQ(rule["description"], "Failed for alice.");
  EXPECT_EQ(rule["groups"], (json{"probe", "authentication_failed"}));
  EXPECT_EQ(rule["firedtimes"], 1);
  EXPECT_EQ(rule["mail"], false);
  EXPECT_EQ(rule["mitre"]["id"], (json{"T1110"}));
  EXPECT_EQ(rule["mitre"]["technique"], (json{"Brute Force"}));
  EXPECT_EQ(rule["pci_dss"], (json{"10.2.4"}));
  EXPECT_EQ(got[0]["alert"], true);
  EXPECT_EQ(got[1]["rule"]["id"], "100100") << "log-test shows level 0";
  EXPECT_EQ(got[1]["alert"], false);
  EXPECT_EQ(got[2]["decoder"], json::object());
  EXPECT_EQ(got[2]["rule"], nullptr);
}

TEST_F(Logtest, TheLivePathHasNoRuleOfLevel0) {
  auto got = answers({"--path", "live"}, std::string{quiet} + "\n\n");
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0]["rule"], nullptr);
  EXPECT_EQ(got[1]["rule"], nullptr) << "an empty line is an event there";
}

TEST_F(Logtest, ASessionRemembersUnlessItIsToldNotTo) {
  std::string lines;
  for (int i = 0; i < 3; ++i)
    lines += std::string{failed} + "\n";
  auto together = answers({}, lines);
  ASSERT_EQ(together.size(), 3u);
  EXPECT_EQ(together[2]["rule"]["id"], "100102");
  EXPECT_EQ(together[2]["rule"]["frequency"], 3);
  auto apart = answers({"--session-per-line"}, lines);
  ASSERT_EQ(apart.size(), 3u);
  EXPECT_EQ(apart[2]["rule"]["id"], "100101");
  EXPECT_EQ(apart[2]["rule"]["firedtimes"], 1);
}

TEST_F(Logtest, LocationAgentMomentAndAlertLevelAreAsGiven) {
  auto got = answers({"--agent", "007:db-01:192.0.2.9", "--location", "/var/log/probe.log", "--at",
                      "2025-06-04T12:00:00Z", "--alert-level", "6", "--document"},
                     failed);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0]["alert"], false) << "level 5 is below 6";
  const auto& document = got[0]["document"];
  EXPECT_EQ(document["agent"], (json{{"id", "007"}, {"name", "db-01"}, {"ip", "192.0.2.9"}}));
  EXPECT_EQ(document["location"], "/var/log/probe.log");
  EXPECT_EQ(document["full_log"], failed);
  EXPECT_THAT(document["timestamp"].get<std::string>(), StartsWith("2025-06-04T"));
  EXPECT_EQ(run_on({"--agent", "007"}, failed).code, exit_code::usage);
  EXPECT_EQ(run_on({"--at", "noon"}, failed).code, exit_code::usage);
}

TEST_F(Logtest, WhatCannotBeAnalysedSaysSoInItsPlace) {
  auto got = answers({}, "\n" + std::string(70'000, 'a') + "\n" + failed);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_THAT(got[0]["error"].get<std::string>(), HasSubstr("empty line"));
  EXPECT_THAT(got[1]["error"].get<std::string>(), HasSubstr("longer than 65535 bytes"));
  EXPECT_EQ(got[2]["rule"]["id"], "100101");
}

TEST_F(Logtest, AnyBytesGiveAnObject) {
  std::string bytes;
  for (int c = 0; c < 256; ++c)
    if (c != '\n') bytes += static_cast<char>(c);
  auto got = answers({"--document"}, "Nov 24 10:00:01 web-01 probe[1]: failed user=alice from=" + bytes);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0]["document"].is_object());
  auto text = run_on({}, "\x1b[2J" + bytes).out;
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << "nothing moves the cursor";
}

TEST_F(Logtest, PeopleSeeThreePhases) {
  auto got = run_on({}, failed);
  EXPECT_EQ(got.out, std::string{"log: "} + failed
                         + "\n\n"
                           "Phase 1: pre-decoding\n"
                           "  program name  probe\n"
                           "  host name     web-01\n"
                           "  time stamp    Nov 24 10:00:01\n"
                           "\n"
                           "Phase 2: decoding\n"
                           "  decoder  probe\n"

                           "  srcip    192.0.2.7\n"
                           "  srcuser  alice\n"
                           "\n"
                           "Phase 3: rules\n"
                           "  rule         100101\n"
                           "  level        5\n"
                           "  description  Failed for alice.\n"
                           "  groups       probe, authentication_failed\n"
                           "  fired times  1\n"
                           "  mitre        T1110\n"
                           "  tactics      Credential Access\n"
                           "  techniques   Brute Force\n"
                           "  pci_dss      10.2.4\n"
                           "\n"
                           "-> an alert is written\n\n");
}

TEST_F(Logtest, AtATerminalItAsksAndGoesOn) {
  auto got = run_on({}, std::string{quiet} + "\n\n" + failed + "\n", true);
  EXPECT_THAT(got.out, StartsWith("Rule set of 4 rules. Type a log line; Ctrl-D ends.\n\nlog> Phase 1"));
  EXPECT_THAT(got.out, HasSubstr("-> no alert\n\nlog> \nlog> Phase 1")) << "an empty line asks again";
  EXPECT_EQ(got.code, exit_code::ok);
}

TEST_F(Logtest, ARuleSetWithErrorsIsShownAndRefused) {
  scratch.write("rules/0020-bad.xml", "<group name=\"x,\"><rule id=\"1\"/></group>\n");
  auto got = run_on({}, failed);
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_EQ(got.out, "");
  EXPECT_THAT(got.err, HasSubstr("rules/0020-bad.xml:1:"));
  EXPECT_THAT(got.err, HasSubstr("picketctl: " + scratch.path().string() + ": the rule set does not load"));
  EXPECT_EQ(run_ctl({"logtest", "--ruleset", "/nonexistent"}).code, exit_code::no);
}

TEST_F(Logtest, CasesAreComparedAndCounted) {
  auto line = json(failed).dump();
  auto good = R"({"name":"one","event":)" + line
              + R"(,"expected":{"rule":100101,"level":5,"alert":true,"decoder":"probe"}})";
  auto list = R"({"event":[)" + line + "," + line + "," + line + R"(],"reference":{"n":7,"rule":"100102"}})";
  auto text = R"({"event":)" + json(std::string{failed} + "\n" + quiet).dump()
              + R"(,"expected":{"rule":"100100","mitre":null}})";
  auto wrong = R"({"name":"two","event":)" + line
               + R"(,"expected":{"rule":"1","fields":{"srcip":"192.0.2.8"},"alert":true}})";
  auto file = scratch.write("cases.jsonl", good + "\n\n" + list + "\n").string();
  auto got = run_on({"--cases", file}, "");
  EXPECT_EQ(got.out, "2 of 2\n");
  EXPECT_EQ(got.code, exit_code::ok);
  file = scratch.write("cases.jsonl", good + "\n" + wrong + "\nnonsense\n" + text + "\n").string();
  got = run_on({"--cases", file}, "");
  EXPECT_EQ(got.code, exit_code::no);
  EXPECT_THAT(got.out, HasSubstr(file
                                 + ":2: two\n"
                                   "  rule: expected \"1\", got \"100101\"\n"
                                   "  fields: expected {\"srcip\":\"192.0.2.8\"}, got "
                                   "{\"srcip\":\"192.0.2.7\",\"srcuser\":\"alice\"}\n"));
  EXPECT_THAT(got.out, HasSubstr(file + ":3: \n  this is no JSON object"));
  EXPECT_THAT(got.out, HasSubstr("mitre: expected null, got nothing\n"));
  EXPECT_THAT(got.out, HasSubstr("\n1 of 4\n"));
  auto as_json = json::parse(run_on({"--cases", file, "--json"}, "").out);
  EXPECT_EQ(as_json["passed"], 1);
  EXPECT_EQ(as_json["failed"].size(), 3u);
  EXPECT_EQ(run_on({"--cases", "/nonexistent"}, "").code, exit_code::no);
}

TEST(LogtestCases, ARecordMustHaveEventAndExpectation) {
  for (const char* wrong :
       {"", "[]", "{}", R"({"event":"a"})", R"({"event":5,"expected":{}})", R"({"event":[],"expected":{}})",
        R"({"event":[1],"expected":{}})", R"({"event":"a","expected":5})"})
    EXPECT_FALSE(read_case(wrong)) << wrong;
  auto got = read_case(R"({"file":"x.ini","case":"log 1","event":"a\nb","expected":{"rule":5}})");
  ASSERT_TRUE(got);
  EXPECT_THAT(got->lines, ElementsAre("a", "b"));
  EXPECT_EQ(got->name, "x.ini, log 1");
}

TEST(LogtestCases, OnlyWhatIsExpectedIsCompared) {
  auto got = json::parse(R"({"rule":"5","mitre":{"id":["T1"],"tactic":["A"]},"fields":{"b":1,"a":2}})");
  EXPECT_THAT(differences(json::parse(R"({"n":9})"), got), IsEmpty());
  EXPECT_THAT(
      differences(json::parse(R"({"rule":5,"fields":{"a":2,"b":1},"mitre":{"id":["T1"],"tactic":["B"]}})"),
                  got),
      IsEmpty());
  EXPECT_THAT(differences(json::parse(R"({"mitre":["T2"]})"), got),
              ElementsAre(R"(mitre: expected ["T2"], got ["T1"])"));
  EXPECT_THAT(differences(json::parse(R"({"descriptoin":"x"})"), got),
              ElementsAre(R"(descriptoin: expected "x", got nothing)"));
}

/// A fresh session for each line costs most without optimisation: such builds take every tenth.
#ifdef __OPTIMIZE__
constexpr std::size_t lines_apart = 1;
#else
constexpr std::size_t lines_apart = 10;
#endif

/// Every `lines_apart`-th line of a text.
std::string thinned(const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t i = 0; i < lines.size(); i += lines_apart)
    text += lines[i] + "\n";
  return text;
}

/// The stock rule set and real logs, where the reference data lies beside the checkout.
class LogtestReference : public ::testing::TestWithParam<const char*> {
protected:
  static const std::filesystem::path& data() {
    static const std::filesystem::path path{PICKET_REFERENCE_DATA};
    return path;
  }

  /// Rule set as files, made once.
  static const std::filesystem::path& ruleset(bool tests) {
    static picket::testing::scratch_directory made[2];
    const auto& directory = made[tests ? 1 : 0].path();
    if (!std::filesystem::exists(directory / "rules"))
      for (const auto& file : picket::testing::reference_ruleset::files(data(), tests)) {
        auto name = file.kind == engine::file_kind::list ? file.name.substr(4) : file.name;
        made[tests ? 1 : 0].write(name, file.bytes);
      }
    return directory;
  }

  static std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream{file, std::ios::binary}.rdbuf();
    return text.str();
  }

  void SetUp() override {
    if (!std::filesystem::exists(data() / "expected")) GTEST_SKIP() << "no reference data at " << data();
    if (!std::filesystem::exists(ruleset(false) / "rules")) GTEST_SKIP() << "no Python to make the rule set";
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
      lines.push_back(line);
    return lines;
  }

  /// An answer of `--json` with the members of the expected files, both ways; names of mitre left out.
  static nlohmann::json as_expected(const json& answer) {
    nlohmann::json out{{"decoder", nullptr}, {"parent", nullptr},      {"rule", nullptr},
                       {"level", nullptr},   {"description", nullptr}, {"groups", nullptr}};
    if (answer["decoder"].contains("name")) out["decoder"] = answer["decoder"]["name"];
    if (answer["decoder"].contains("parent")) out["parent"] = answer["decoder"]["parent"];
    out["fields"] = answer["data"];
    out["predecoder"] = answer["predecoder"];
    out["alert"] = answer["alert"];
    const auto& rule = answer["rule"];
    if (!rule.is_object()) return out;
    out["rule"] = rule["id"];
    for (const char* name : {"level", "description", "groups", "firedtimes", "frequency"})
      if (rule.contains(name)) out[name] = rule[name];
    if (rule.contains("mitre")) out["mitre"] = rule["mitre"]["id"];
    return out;
  }

  void compare(bool per_line) {
    std::vector<std::string> arguments{
        "logtest", "--json", "--ruleset", ruleset(false).string(), "--at", "2025-06-04T12:00:00"};
    if (per_line) arguments.emplace_back("--session-per-line");
    auto log = read(data() / "loghub" / (std::string{GetParam()} + ".log"));
    auto got = run_ctl(arguments, per_line ? thinned(lines_of(log)) : log);
    ASSERT_EQ(got.code, exit_code::ok) << got.err;
    auto answers = lines_of(got.out);
    auto suffix = per_line ? ".stateless.jsonl" : ".stateful.jsonl";
    auto expected = lines_of(read(data() / "expected" / (std::string{GetParam()} + suffix)));
    if (per_line) expected = lines_of(thinned(expected));
    ASSERT_EQ(answers.size(), expected.size());
    int different = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      auto wanted = nlohmann::json::parse(expected[i]);
      wanted.erase("n");
      if (wanted.contains("mitre")) wanted["mitre"] = nlohmann::json(wanted["mitre"]["id"]);
      auto had = as_expected(json::parse(answers[i]));
      if (wanted == had) continue;
      if (++different <= 5)
        ADD_FAILURE() << "line " << i + 1 << "\nexpected " << wanted << "\ngot      " << had;
    }
    EXPECT_EQ(different, 0);
  }
};

TEST_P(LogtestReference, OneSessionGivesTheStatefulAnswers) { compare(false); }

TEST_P(LogtestReference, ASessionPerLineGivesTheStatelessAnswers) { compare(true); }

INSTANTIATE_TEST_SUITE_P(Loghub, LogtestReference, ::testing::Values("OpenSSH_2k", "Linux_2k", "Apache_2k"),
                         [](const auto& one) { return std::string{one.param}; });

class LogtestRuleCases : public LogtestReference {};

TEST_P(LogtestRuleCases, AllAreAsTheReferenceAnswers) {
  auto cases = lines_of(read(data() / "expected" / GetParam()));
  ASSERT_EQ(cases.size(), 995u);
  picket::testing::scratch_directory scratch;
  auto file = scratch.write("cases.jsonl", thinned(cases)).string();
  auto got = run_ctl({"logtest", "--ruleset", ruleset(true).string(), "--cases", file});
  EXPECT_EQ(got.code, exit_code::ok) << got.out;
  auto count = std::to_string((cases.size() + lines_apart - 1) / lines_apart);
  EXPECT_THAT(got.out, HasSubstr(count + " of " + count + "\n"));
}

INSTANTIATE_TEST_SUITE_P(Stock, LogtestRuleCases, ::testing::Values("ruleset-cases.jsonl"),
                         [](const auto&) { return std::string{"RuleTests"}; });

} // namespace
} // namespace picket::ctl
