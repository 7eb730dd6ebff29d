#include "engine/api.hpp"

#include "engine/event/source.hpp"
#include "engine/testing/reference_ruleset.hpp"
#include "engine/testing/rules_fixture.hpp"
#include "picket_paths.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace picket::engine {
namespace {

using testing::compile_rules;
using testing::in_group;
using testing::noon_ms;

/// One node: its rule set, a shard, and what batches of it bring.
struct node {
  explicit node(std::shared_ptr<const ruleset> with, std::unique_ptr<global_windows> windows = nullptr)
      : rules(std::move(with))
      , global(windows ? std::move(windows) : std::make_unique<local_global_windows>()) {}

  context with() {
    return {*rules,
            shard,
            counts,
            first,
            *global,
            limits,
            counters,
            outputs,
            evaluation_mode::plain,
            analysis_path::live,
            nullptr};
  }
  std::vector<event_in> batch(const std::vector<std::pair<const source*, std::string>>& lines) {
    texts.clear();
    std::vector<event_in> events;
    for (const auto& [from, line] : lines)
      texts.push_back(line + std::string(arena::slack_bytes, '\0'));
    for (std::size_t i = 0; i < lines.size(); ++i) {
      event_in in;
      in.source = lines[i].first;
      in.text = std::string_view{texts[i]}.substr(0, lines[i].second.size());
      in.arrival_ms = noon_ms + static_cast<std::int64_t>(i);
      in.id.node = 3;
      in.id.boot = 7;
      in.id.sequence = 42;
      in.id.index = static_cast<std::uint32_t>(i);
      events.push_back(in);
    }
    return events;
  }

  std::shared_ptr<const ruleset> rules;
  shard_state shard;
  node_state counts;
  first_seen_in_memory first;
  std::unique_ptr<global_windows> global;
  engine_limits limits;
  engine_counters counters;
  wanted_outputs outputs;
  scratch memory;
  batch_out out;
  std::vector<std::string> texts;
};

const std::string base_rule =
    R"(<rule id="100" level="3"><decoded_as>json</decoded_as><description>base</description></rule>)";

std::vector<std::uint32_t> rules_of(const batch_out& out) {
  std::vector<std::uint32_t> ids;
  for (const auto& alert : out.alerts)
    ids.push_back(alert.rule->id);
  return ids;
}

TEST(AlertId, IsEpochThenDigitsOfNodeBootBatchIndexAndWhich) {
  alert_id id;
  id.node = 12;
  id.boot = 34;
  id.sequence = 567;
  id.index = 89;
  std::string text;
  append_alert_id(text, id, 1'795'528'006'756, 1);
  EXPECT_EQ(text, "1795528006.1200003400000000056700891");
}

TEST(Evaluate, AppendsAlertsWithTheirPlaces) {
  node one(compile_rules(in_group(base_rule)).ruleset);
  one.outputs.alerts_text = true;
  const auto from = make_agent_source("001", "web", "any", "/x", "mgr");
  const auto events = one.batch({{&from, R"({"a":1})"}, {&from, "plain"}, {&from, R"({"b":1})"}});
  const auto done = evaluate(events, one.with(), one.memory, one.out);
  EXPECT_TRUE(done.complete());
  EXPECT_TRUE(done.operations.empty());
  ASSERT_EQ(one.out.alerts.size(), 2u);
  const auto& second = one.out.alerts[1];
  EXPECT_EQ(second.event, 2u);
  const auto json = nlohmann::json::parse(one.out.json.substr(second.json.offset, second.json.length));
  EXPECT_EQ(json["full_log"], R"({"b":1})");
  EXPECT_EQ(json["id"], "1749038400.300000700000000004200020");
  EXPECT_EQ(json["rule"]["firedtimes"], 2);
  EXPECT_EQ(one.out.text.substr(second.text.offset, 9), "** Alert ");
  EXPECT_EQ(one.out.archive_json, "");
  EXPECT_EQ(one.counters.events, 3u);
  EXPECT_EQ(one.counters.alerts, 2u);
  EXPECT_EQ(one.counters.rules[one.rules->find_rule(100)->index].verdicts, 2u);
}

TEST(Evaluate, ArchivesEveryEventAndShowsRulesOfLevelOneOnly) {
  node one(compile_rules(in_group(base_rule + R"(
<rule id="101" level="0"><if_sid>100</if_sid><match>"zero"</match><description>d</description></rule>
<rule id="102" level="5"><if_sid>100</if_sid><match>"quiet"</match><options>no_log</options><description>d</description></rule>
<rule id="103" level="5"><if_sid>100</if_sid><match>"short"</match><options>no_full_log</options><description>d</description></rule>)"))
               .ruleset);
  one.outputs.archives_json = one.outputs.archives_text = true;
  const auto from = make_agent_source("001", "web", "any", "/x", "mgr");
  const auto keepalive = make_agent_source("001", "web", "any", "ossec-keepalive", "mgr");
  const auto events = one.batch({{&from, "plain"},
                                 {&from, R"({"zero":1})"},
                                 {&from, R"({"quiet":1})"},
                                 {&from, R"({"short":1})"},
                                 {&keepalive, R"({"short":1})"}});
  evaluate(events, one.with(), one.memory, one.out);
  std::vector<nlohmann::json> lines;
  std::istringstream in(one.out.archive_json);
  for (std::string line; std::getline(in, line);)
    lines.push_back(nlohmann::json::parse(line));
  ASSERT_EQ(lines.size(), 4u) << "keep-alives are never archived";
  EXPECT_FALSE(lines[0].contains("rule"));
  EXPECT_FALSE(lines[1].contains("rule"));
  EXPECT_EQ(lines[2]["rule"]["id"], "102");
  EXPECT_EQ(lines[3]["rule"]["id"], "103");
  EXPECT_EQ(lines[3]["full_log"], R"({"short":1})");
  EXPECT_EQ(rules_of(one.out), (std::vector<std::uint32_t>{103, 103}));
  EXPECT_EQ(one.out.json.find("full_log"), std::string::npos);
  EXPECT_EQ(std::count(one.out.archive_text.begin(), one.out.archive_text.end(), '\n'), 4);
}

TEST(Evaluate, RefusesFirewallEventsThatLackAField) {
  node one(
      compile_rules(
          R"(<group name="f,"><rule id="2" level="3"><category>firewall</category><description>fw</description></rule></group>)")
          .ruleset);
  const auto from = make_agent_source("001", "web", "any", "/x", "mgr");
  const auto events = one.batch({{&from, "fw: x"}});
  one.outputs.archives_json = true;
  evaluate(events, one.with(), one.memory, one.out);
  ASSERT_EQ(one.out.refused.size(), 1u);
  EXPECT_EQ(one.out.refused[0].reason, refusal::firewall_incomplete);
  EXPECT_EQ(one.out.archive_json, "");
  one.limits.firewall_filter = false;
  evaluate(events, one.with(), one.memory, one.out);
  EXPECT_EQ(rules_of(one.out), (std::vector<std::uint32_t>{2}));
}

TEST(Evaluate, AnIgnoredRuleGivesWayToItsParent) {
  node one(compile_rules(in_group(base_rule + R"(
<rule id="101" level="5" ignore="60"><if_sid>100</if_sid><description>child</description></rule>)"))
               .ruleset);
  const auto from = make_agent_source("001", "web", "any", "/x", "mgr");
  const auto events = one.batch({{&from, R"({"a":1})"}, {&from, R"({"a":1})"}});
  evaluate(events, one.with(), one.memory, one.out);
  EXPECT_EQ(rules_of(one.out), (std::vector<std::uint32_t>{101, 100}));
  EXPECT_EQ(one.out.alerts[1].parent->id, 100u);
  EXPECT_EQ(one.counters.ignored, 1u);
}

/// Windows of every key belong to node 1.
class owned_by_one final : public global_windows {
public:
  explicit owned_by_one(std::uint64_t self)
      : self_(self) {}
  std::uint64_t owner_of(std::string_view, std::string_view) const override { return 1; }
  std::uint64_t self() const override { return self_; }

private:
  std::uint64_t self_;
};

class TwoPhases : public ::testing::Test {
protected:
  std::shared_ptr<const ruleset> rules = compile_rules(in_group(base_rule + R"(
<rule id="101" level="7" frequency="3"><if_matched_sid>100</if_matched_sid><global_frequency/><same_srcip/><description>spread</description></rule>
<rule id="102" level="4"><if_sid>100</if_sid><match>"z"</match><description>other</description></rule>)"))
                                             .ruleset;
  node owner{rules, std::make_unique<owned_by_one>(1)};
  node other{rules, std::make_unique<owned_by_one>(2)};
  source first = make_agent_source("001", "a", "any", "/x", "mgr");
  source second = make_agent_source("002", "b", "any", "/x", "mgr");
  const std::string attack = R"({"srcip":"10.0.0.1"})";
};

TEST_F(TwoPhases, TheOwnerAnswersDuringTheWalk) {
  const auto events = owner.batch({{&first, attack}, {&second, attack}, {&first, attack}});
  EXPECT_TRUE(evaluate(events, owner.with(), owner.memory, owner.out).complete());
  EXPECT_EQ(rules_of(owner.out), (std::vector<std::uint32_t>{100, 100, 101}));
}

TEST_F(TwoPhases, AnotherNodeAsksAndFinishes) {
  const auto events = other.batch(
      {{&first, "plain"}, {&first, attack}, {&second, attack}, {&first, R"({"z":1})"}, {&first, attack}});
  auto open = evaluate(events, other.with(), other.memory, other.out);
  EXPECT_FALSE(open.complete());
  EXPECT_EQ(open.next, 1u) << "the event without a global look-back is done";
  EXPECT_TRUE(other.out.alerts.empty());
  ASSERT_EQ(open.operations.size(), 3u) << "an event that lacks the compared value asks nothing";
  EXPECT_EQ(open.operations[0].owner, 1u);
  ASSERT_TRUE(open.operations[0].if_fails);
  EXPECT_EQ(open.operations[0].if_fails->rule_id, 100u);

  const auto answers = answer_operations(open.operations, *rules, *owner.global);
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_TRUE(answers[2].holds);
  auto done = finish(std::move(open), answers, false, other.with(), other.memory, other.out);
  EXPECT_TRUE(done.complete());
  EXPECT_EQ(rules_of(other.out), (std::vector<std::uint32_t>{100, 100, 102, 101}));
  EXPECT_TRUE(done.operations.empty()) << "the answers have entered the events";
  const auto& last = other.out.alerts.back();
  const auto json = nlohmann::json::parse(other.out.json.substr(last.json.offset, last.json.length));
  EXPECT_EQ(json["previous_output"], attack + "\n" + attack);

  // The owner has counted them: two more, from its own agents, and it fires again.
  const auto more = owner.batch({{&second, attack}, {&second, attack}, {&second, attack}});
  EXPECT_TRUE(evaluate(more, owner.with(), owner.memory, owner.out).complete());
  EXPECT_EQ(rules_of(owner.out), (std::vector<std::uint32_t>{100, 100, 101}));
}

TEST_F(TwoPhases, GivesTheAnswersOfOneNodeWhateverTheSplit) {
  // The same events on one node that owns all, and half of them on another that asks.
  std::mt19937 random(21);
  node alone(rules);
  std::vector<std::uint32_t> expected, seen;
  for (int round = 0; round < 60; ++round) {
    const std::string line = R"({"srcip":"10.0.0.)" + std::to_string(random() % 3) + "\"}";
    const auto& from = random() % 2 ? first : second;
    alone.out.clear();
    evaluate(alone.batch({{&from, line}}), alone.with(), alone.memory, alone.out);
    const auto ids = rules_of(alone.out);
    expected.insert(expected.end(), ids.begin(), ids.end());
    auto& runs = round % 2 ? owner : other;
    runs.out.clear();
    const auto events = runs.batch({{&from, line}});
    auto open = evaluate(events, runs.with(), runs.memory, runs.out);
    if (!open.complete()) {
      const auto answers = answer_operations(open.operations, *rules, *owner.global);
      open = finish(std::move(open), answers, false, runs.with(), runs.memory, runs.out);
    }
    ASSERT_TRUE(open.complete());
    const auto also = rules_of(runs.out);
    seen.insert(seen.end(), also.begin(), also.end());
  }
  EXPECT_EQ(seen, expected) << "seed 21";
}

TEST_F(TwoPhases, WithoutAnAnswerItCountsLocallyAndSaysSo) {
  const auto events = other.batch({{&first, attack}});
  auto open = evaluate(events, other.with(), other.memory, other.out);
  auto done = finish(std::move(open), {}, true, other.with(), other.memory, other.out);
  EXPECT_TRUE(done.complete());
  ASSERT_EQ(other.out.alerts.size(), 1u);
  EXPECT_TRUE(other.out.alerts[0].counted_locally);
  EXPECT_NE(other.out.json.find(R"("picket":{"counted":"locally"})"), std::string::npos);
  EXPECT_EQ(other.counters.counted_locally, 1u);
  ASSERT_EQ(done.operations.size(), 1u) << "the owner is still to enter the event";
  EXPECT_FALSE(done.operations[0].ask);
  answer_operations(done.operations, *rules, *owner.global);
  const auto more = owner.batch({{&second, attack}, {&second, attack}});
  evaluate(more, owner.with(), owner.memory, owner.out);
  EXPECT_EQ(rules_of(owner.out), (std::vector<std::uint32_t>{100, 101}));
}

TEST(Evaluate, RealLogsGiveTheLiveCounts) {
  const auto files = testing::reference_ruleset::files(PICKET_REFERENCE_DATA, false);
  if (files.empty()) GTEST_SKIP() << "no reference data at " PICKET_REFERENCE_DATA;
  const auto compiled = compile(files);
  ASSERT_TRUE(compiled.ruleset);
  // rules.md 3.5 and 9: the answers of log-test with an alert, and those that `ignore` turns into their
  // parents.
  for (const auto& [log, count] : std::vector<std::pair<const char*, int>>{
           {"OpenSSH_2k", 1241}, {"Linux_2k", 1772}, {"Apache_2k", 32}}) {
    logtest_session session(compiled.ruleset, analysis_path::live);
    std::ifstream in(std::filesystem::path(PICKET_REFERENCE_DATA) / "loghub" / (std::string{log} + ".log"));
    int alerts = 0;
    for (std::string line; std::getline(in, line);)
      alerts += session.run(line, "/var/log/x", noon_ms)->alert ? 1 : 0;
    EXPECT_EQ(alerts, count) << log;
  }
}

} // namespace
} // namespace picket::engine
