#include "engine/render/alert.hpp"
#include "engine/render/escape.hpp"
#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace picket::engine {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

TEST(Escape, FollowsTheTable) {
  EXPECT_EQ(escaped("a\"b\\c/\x7f"), "a\\\"b\\\\c/\x7f");
  EXPECT_EQ(escaped("\b\f\n\r\t"), "\\b\\f\\n\\r\\t");
  EXPECT_EQ(escaped(std::string_view{"\0\x1f", 2}), "\\u0000\\u001f");
  EXPECT_EQ(escaped("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\xA7"), "gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\xA7");
}

TEST(Escape, EachByteOfABadSequenceBecomesTheReplacementCharacter) {
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(escaped("a\xFFz"), "a" + bad + "z");
  EXPECT_EQ(escaped("\xC3"), bad);
  EXPECT_EQ(escaped("\xE2\x82"), bad + bad);
  EXPECT_EQ(escaped("\xC0\xAF"), bad + bad) << "overlong";
  EXPECT_EQ(escaped("\xED\xA0\x80"), bad + bad + bad) << "surrogate";
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), bad + bad + bad + bad) << "above the last code point";
}

TEST(Escape, StopsAtACharacterBorder) {
  std::string out;
  append_escaped(out, "ab\xC3\xBCz", 3);
  EXPECT_EQ(out, "ab");
  out.clear();
  append_escaped(out, "a\nb", 2);
  EXPECT_EQ(out, "a");
}

TEST(Escape, AnyBytesGiveAJsonStringThatReadsBack) {
  std::mt19937 random(11);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (auto n = random() % 20; n > 0; --n)
      text.push_back(static_cast<char>(random()));
    std::string out;
    append_json_string(out, text);
    EXPECT_TRUE(nlohmann::json::accept(out)) << "seed 11, text " << i;
  }
}

TEST(Moments, HaveThreeDigitsAndAnOffsetWithoutColon) {
  moment_texts moments;
  const auto at = [&](std::int64_t ms, std::int32_t offset) {
    std::string out;
    moments.append_json(out, ms, offset);
    out += " | ";
    moments.append_text(out, ms, offset);
    return out;
  };
  EXPECT_EQ(at(1795528006756, 0), "2026-11-24T13:46:46.756+0000 | 2026 Nov 24 13:46:46");
  EXPECT_EQ(at(1795528006756, 19800), "2026-11-24T19:16:46.756+0530 | 2026 Nov 24 19:16:46");
  EXPECT_EQ(at(1795528006006, -12600), "2026-11-24T10:16:46.006-0330 | 2026 Nov 24 10:16:46");
  EXPECT_EQ(at(951782400000, 0), "2000-02-29T00:00:00.000+0000 | 2000 Feb 29 00:00:00");
  EXPECT_EQ(at(-1, 0), "1969-12-31T23:59:59.999+0000 | 1969 Dec 31 23:59:59");
}

std::string nested(const std::vector<std::pair<std::string, std::string>>& members) {
  nested_object object;
  object.clear();
  for (const auto& [name, value] : members)
    object.put_embedding(name, value);
  std::string out;
  arena memory;
  object.append(out, memory, 1000);
  return out;
}

TEST(NestedObject, NestsAtDotsAndTheFirstWins) {
  EXPECT_EQ(nested({{"a.b", "1"}, {"a.c", "2"}, {"d", "3"}, {"a.e", "4"}}),
            R"({"a":{"b":"1","c":"2","e":"4"},"d":"3"})");
  EXPECT_EQ(nested({{"a", "1"}, {"A", "2"}, {"a.b", "3"}, {"b.", "4"}, {"", "5"}}),
            R"({"a":"1","b":{"":"4"},"":"5"})");
}

TEST(NestedObject, EmbedsArraysThatAreJsonAsAWhole) {
  EXPECT_EQ(nested({{"a", "[\"x\", 1, {\"y\":2.50}, null]"}, {"b", "[1, 2"}, {"c", "[]"}, {"d", "[1] x"}}),
            R"({"a":["x",1,{"y":2.5},null],"b":"[1, 2","c":[],"d":"[1] x"})");
}

TEST(NestedObject, DeepNamesStayTogether) {
  std::string name;
  for (int i = 0; i < 5000; ++i)
    name += "a.";
  const auto text = nested({{name, "1"}});
  EXPECT_TRUE(nlohmann::json::accept(text));
}

class Rendering : public ::testing::Test {
protected:
  logtest_answer run(const std::string& rules, const std::string& line, const source& from) {
    const auto compiled = testing::compile_rules(rules);
    EXPECT_TRUE(compiled.ruleset);
    logtest_session session(compiled.ruleset, analysis_path::live, "mgr");
    return session.run(line, from, testing::noon_ms);
  }
  source agent() {
    source from;
    from.agent_id = "001";
    from.agent_name = "web-01";
    from.agent_ip = "192.0.2.7";
    from.location = "/var/log/t";
    from.rule_location = "(web-01) any->/var/log/t";
    from.from_agent = true;
    from.manager_name = "mgr-01";
    return from;
  }
};

TEST_F(Rendering, WritesMembersInTheOrderOfTheSpecification) {
  auto from = agent();
  from.cluster_name = "lab";
  from.node_name = "node01";
  from.labels = {{"_hidden", "x", true}, {"org.unit", "ops", false}, {"list", "[1,2]", false}};
  const auto answer = run(
      R"x(<group name="t1,pci_dss_9.9,"><rule id="100" level="12"><decoded_as>json</decoded_as><cve>CVE-1</cve><info>i</info><description>hit $(srcip) "$(k.l)"</description><group>g2,gdpr_I,</group></rule></group>)x",
      R"({"srcip":"192.0.2.1","k":{"l":"v\n"},"user":"u"})", from);
  EXPECT_EQ(
      answer.document,
      R"({"timestamp":"2025-06-04T12:00:00.000+0000","rule":{"level":12,"description":"hit 192.0.2.1 \"v\n\"","id":"100","cve":"CVE-1","info":"i","firedtimes":1,"mail":true,"groups":["t1","g2"],"pci_dss":["9.9"],"gdpr":["I"]},"agent":{"id":"001","name":"web-01","ip":"192.0.2.7","labels":{"org":{"unit":"ops"},"list":[1,2]}},"manager":{"name":"mgr-01"},"id":"1749038400.000000000000000000100000","cluster":{"name":"lab","node":"node01"},"full_log":"{\"srcip\":\"192.0.2.1\",\"k\":{\"l\":\"v\\n\"},\"user\":\"u\"}","decoder":{"name":"json"},"data":{"srcip":"192.0.2.1","dstuser":"u","k":{"l":"v\n"}},"location":"/var/log/t"})");
  EXPECT_EQ(answer.text, "** Alert 1749038400.000000000000000000100000: mail  - t1,pci_dss_9.9,g2,gdpr_I,\n"
                         "2025 Jun 04 12:00:00 (web-01) any->/var/log/t\n"
                         "org.unit: ops\nlist: [1,2]\n"
                         "Rule: 100 (level 12) -> 'hit 192.0.2.1 \"v \"'\n"
                         "Src IP: 192.0.2.1\nUser: u\n"
                         "{\"srcip\":\"192.0.2.1\",\"k\":{\"l\":\"v\\n\"},\"user\":\"u\"}\n"
                         "k.l: v \n\n");
}

TEST_F(Rendering, ALogCannotForgeAnotherTextAlert) {
  const auto answer =
      run(testing::in_group(R"(<rule id="100" level="3"><description>d</description></rule>)"),
          "a\n\n** Alert 1.1: - x", agent());
  EXPECT_EQ(answer.text.find("\n** Alert"), std::string::npos);
}

TEST_F(Rendering, LongLinesAreCutAtTheFullLog) {
  const auto answer =
      run(testing::in_group(R"(<rule id="100" level="3"><description>d</description></rule>)"),
          std::string(60'000, '\x01') + "end", agent());
  EXPECT_LE(answer.document.size(), json_line_bytes_max);
  EXPECT_GT(answer.document.size(), json_line_bytes_max - 100);
  EXPECT_TRUE(nlohmann::json::accept(answer.document));
}

TEST_F(Rendering, LongFieldsAreCutAfterTheFullLog) {
  std::string quotes;
  for (int i = 0; i < 32'000; ++i)
    quotes += "\\\"";
  const auto answer = run(
      testing::in_group(
          R"(<rule id="100" level="3"><options>no_full_log</options><decoded_as>json</decoded_as><description>d</description></rule>)"),
      "{\"k\":\"" + quotes + "\",\"l\":\"" + quotes + "\"}", agent());
  EXPECT_LE(answer.document.size(), json_line_bytes_max);
  EXPECT_TRUE(nlohmann::json::accept(answer.document));
}

TEST(Description, TooLongAResultLeavesTheTemplate) {
  const auto compiled = testing::compile_rules(testing::in_group(
      R"(<rule id="100" level="3"><decoded_as>json</decoded_as><description>x$(k)</description></rule>)"));
  logtest_session session(compiled.ruleset, analysis_path::logtest);
  const auto with = [&](std::size_t length) {
    return session.run("{\"k\":\"" + std::string(length, 'v') + "\"}", "/x", testing::noon_ms)
        ->rule->description;
  };
  EXPECT_EQ(with(1022).size(), 1023u);
  EXPECT_EQ(with(1023), "x$(k)");
}

} // namespace
} // namespace picket::engine
