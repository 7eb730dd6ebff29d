#include "engine/state/diff_texts.hpp"
#include "engine/state/first_seen.hpp"
#include "engine/state/node_state.hpp"
#include "engine/state/window_store.hpp"
#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace picket::engine {
namespace {

TEST(RuleCounters, CountUpAndBeginAgainAtALaterHour) {
  rule_counters counters;
  EXPECT_EQ(counters.fire(10), 1u);
  EXPECT_EQ(counters.fire(10), 2u);
  EXPECT_EQ(counters.fire(11), 1u);
  EXPECT_EQ(counters.fire(10), 2u) << "a late event counts in the newer hour";
}

TEST(RuleCounters, GiveEachThreadItsOwnNumber) {
  rule_counters counters;
  std::vector<std::uint32_t> seen[4];
  std::vector<std::thread> threads;
  for (auto& mine : seen)
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i)
        mine.push_back(counters.fire(1));
    });
  for (auto& each : threads)
    each.join();
  std::vector<bool> all(4001);
  for (const auto& mine : seen)
    for (const auto number : mine)
      all[number] = true;
  EXPECT_EQ(std::count(all.begin(), all.end(), true), 4000);
}

TEST(RuleCounters, TheLiveIgnoreWindowBeginsAnewWhenItIsOver) {
  using ignored = rule_counters::ignored;
  rule_counters counters;
  EXPECT_EQ(counters.enter_ignore_window(100, 10), ignored::no);
  EXPECT_EQ(counters.enter_ignore_window(109, 10), ignored::yes);
  EXPECT_EQ(counters.enter_ignore_window(110, 10), ignored::no);
  EXPECT_EQ(counters.enter_ignore_window(111, 10), ignored::yes);
}

TEST(RuleCounters, LogTestForgetsAWindowThatIsOver) {
  using ignored = rule_counters::ignored;
  rule_counters counters;
  EXPECT_EQ(counters.enter_ignore_window_of_logtest(100, 10), ignored::no);
  EXPECT_EQ(counters.enter_ignore_window_of_logtest(109, 10), ignored::yes);
  EXPECT_EQ(counters.enter_ignore_window_of_logtest(110, 10), ignored::no);
  EXPECT_EQ(counters.enter_ignore_window_of_logtest(111, 10), ignored::no);
  EXPECT_EQ(counters.enter_ignore_window_of_logtest(112, 10), ignored::yes);
}

TEST(NodeState, RulesThatStayTheSameGoOnCounting) {
  const auto compile = [](const char* changed) {
    return testing::compile_rules(testing::in_group(
        std::string{
            R"(<rule id="100" level="3"><match>x</match><description>d</description></rule><rule id="101" level="3"><match>)"}
        + changed + "</match><description>d</description></rule>"));
  };
  const auto first = compile("y");
  const auto second = compile("z");
  node_state node;
  const auto before = node.table_for(*first.ruleset);
  before->by_rule[1]->fire(1);
  before->by_rule[2]->fire(1);
  EXPECT_EQ(node.table_for(*first.ruleset), before);
  const auto after = node.table_for(*second.ruleset);
  EXPECT_EQ(after->by_rule[1]->fire(1), 2u);
  EXPECT_EQ(after->by_rule[2]->fire(1), 1u);
}

TEST(FirstSeen, SaysYesOncePerKeyAndForgetsTheOldest) {
  first_seen_limits limits;
  limits.keys_max = 2;
  first_seen_in_memory seen(limits);
  EXPECT_TRUE(seen.insert_if_new("a"));
  EXPECT_FALSE(seen.insert_if_new("a"));
  EXPECT_TRUE(seen.insert_if_new("b"));
  EXPECT_TRUE(seen.insert_if_new("c"));
  EXPECT_FALSE(seen.contains("a"));
  EXPECT_EQ(seen.evicted(), 1u);
  EXPECT_EQ(seen.keys(), (std::vector<std::string>{"b", "c"}));
}

TEST(FirstSeen, CutsKeysThatResembleThreeRecentOnes) {
  first_seen_in_memory seen;
  const std::string common = "0123456789abcdef";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(seen.cut_if_similar(common + std::to_string(i)), common + std::to_string(i));
    seen.remember_recent(common + std::to_string(i));
  }
  EXPECT_EQ(seen.cut_if_similar(common + "x"), "0123456789abcd");
  EXPECT_EQ(seen.cut_if_similar("0123456789abcd-"), "0123456789abcd-") << "14 common bytes are not enough";
}

TEST(DiffTexts, KeepTheLastTextPerHostAndRuleWithinTheirBytes) {
  diff_texts texts(1000);
  texts.store("h", 100, "one");
  texts.store("h", 101, "two");
  texts.store("h", 100, "three");
  EXPECT_EQ(*texts.find("h", 100), "three");
  EXPECT_EQ(texts.find("other", 100), nullptr);
  texts.store("h", 102, std::string(700, 'x'));
  EXPECT_EQ(texts.find("h", 101), nullptr) << "what was stored longest ago goes first";
  EXPECT_GT(texts.evicted(), 0u);
}

class WindowStore : public ::testing::Test {
protected:
  WindowStore() {
    const auto compiled = testing::compile_rules(testing::in_group(R"(
<rule id="100" level="3"><description>d</description></rule>
<rule id="101" level="5" frequency="4" timeframe="60"><if_matched_sid>100</if_matched_sid><description>d</description></rule>)"));
    rules = compiled.ruleset;
    table = store.bind(*rules, false).tables[0];
  }
  std::uint64_t remember(std::int64_t second, std::string key, std::string text = "log") {
    event_record record;
    record.second = second;
    record.rule_id = 100;
    record.agent = "001";
    record.full_log = std::move(text);
    window_entry entry;
    entry.table = table;
    entry.key = std::move(key);
    return store.remember(std::move(record), {entry});
  }
  std::shared_ptr<const ruleset> rules;
  window_store store{{3, 4}, 20'000};
  std::uint32_t table = 0;
};

TEST_F(WindowStore, AWindowKeepsFrequencyMinusOneEntries) {
  for (int i = 0; i < 10; ++i)
    remember(100 + i, "k");
  const auto* window = store.find(table, "k");
  ASSERT_NE(window, nullptr);
  ASSERT_EQ(window->entries.size(), 3u);
  EXPECT_EQ(store.record(window->entries.back().sequence)->second, 109);
  EXPECT_EQ(store.records(), 3u) << "what no window names is freed";
}

TEST_F(WindowStore, OldEventsGoWithTheirWindows) {
  remember(100, "a");
  remember(161, "b");
  EXPECT_EQ(store.find(table, "a"), nullptr);
  EXPECT_EQ(store.windows(), 1u);
  EXPECT_TRUE(store.evictions().empty()) << "nothing was lost that could still count";
}

TEST_F(WindowStore, StaysWithinItsBytesAndCountsWhatIsLost) {
  for (int i = 0; i < 100; ++i)
    remember(100, "key " + std::to_string(i), std::string(1000, 'x'));
  EXPECT_LE(store.bytes(), 20'000u);
  EXPECT_GT(store.evictions().at(100), 50u);
  EXPECT_EQ(store.find(table, "key 0"), nullptr);
  EXPECT_NE(store.find(table, "key 99"), nullptr);
}

TEST_F(WindowStore, BytesReturnToZero) {
  for (int i = 0; i < 50; ++i)
    remember(100 + i % 3, "key " + std::to_string(i % 7));
  store.expire(1000);
  EXPECT_EQ(store.bytes(), 0u);
  EXPECT_EQ(store.records(), 0u);
  EXPECT_EQ(store.windows(), 0u);
}

TEST_F(WindowStore, MarksOfRecordsThatAreGoneAreIgnored) {
  const auto sequence = remember(100, "a");
  store.set_mark(sequence, 7);
  EXPECT_EQ(store.record(sequence)->mark, 7);
  store.expire(1000);
  store.set_mark(sequence, 8);
  EXPECT_EQ(store.record(sequence), nullptr);
}

} // namespace
} // namespace picket::engine
