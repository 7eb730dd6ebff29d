#include "engine/state/encode.hpp"

#include "engine/testing/random_session.hpp"
#include "engine/testing/rules_fixture.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

std::shared_ptr<const ruleset> state_ruleset(const char* rules = testing::state_rules) {
  const auto compiled = testing::compile_rules(rules, {}, "", testing::state_decoders);
  EXPECT_TRUE(compiled.ruleset);
  return compiled.ruleset;
}

const std::vector<std::string> places{"[001] (a) any->/x", "[002] (b) any->/x", "/var/log/y"};

void run_some(logtest_session& session, std::mt19937& random, std::int64_t& now, int lines) {
  for (int i = 0; i < lines; ++i) {
    now += random() % 4000;
    const auto line = testing::random_state_line(random);
    ASSERT_TRUE(session.run(line, places[random() % places.size()], now));
  }
}

class StateRoundTrip : public ::testing::TestWithParam<unsigned> {};

TEST_P(StateRoundTrip, ComesBackEqualAndGoesOnEqually) {
  std::mt19937 random(GetParam());
  const auto rules = state_ruleset();
  logtest_session origin(rules, analysis_path::live);
  std::int64_t now = testing::noon_ms;
  run_some(origin, random, now, 120);
  byte_buffer bytes;
  encode(origin.state(), bytes);
  auto decoded = decode_state(bytes);
  ASSERT_TRUE(decoded) << to_string(decoded.error());
  EXPECT_TRUE(**decoded == origin.state()) << "seed " << GetParam();
  byte_buffer again;
  encode(**decoded, again);
  EXPECT_EQ(again.size(), bytes.size());

  // A session with the copy gives the same answers from here on, but for firedtimes, which is the node's.
  logtest_session copy(rules, analysis_path::live);
  copy.state() = std::move(**decoded);
  for (int i = 0; i < 60; ++i) {
    now += random() % 4000;
    const auto line = testing::random_state_line(random);
    const auto first = origin.run(line, places[i % places.size()], now);
    const auto second = copy.run(line, places[i % places.size()], now);
    ASSERT_EQ(first->rule ? first->rule->id : 0, second->rule ? second->rule->id : 0)
        << "seed " << GetParam();
    ASSERT_EQ(first->data, second->data);
  }
  EXPECT_TRUE(copy.state() == origin.state()) << "seed " << GetParam();
}

TEST_P(StateRoundTrip, ChangesKeepACopyEqualAndMayBeAppliedTwice) {
  std::mt19937 random(GetParam() + 1000);
  const auto rules = state_ruleset();
  shard_limits small;
  small.window_bytes = 12 * 1024; // so that eviction happens too
  small.diff_bytes = 1024;
  logtest_session origin(rules, analysis_path::live);
  origin.state() = shard_state({1, 2}, small);
  origin.state().track_changes = true;
  shard_state copy({1, 2}, small);
  std::int64_t now = testing::noon_ms;
  byte_buffer before;
  for (int round = 0; round < 8; ++round) {
    run_some(origin, random, now, 40);
    byte_buffer changes;
    encode_changes(origin.state(), changes);
    ASSERT_TRUE(apply_changes(copy, changes));
    ASSERT_TRUE(copy == origin.state()) << "seed " << GetParam() << " round " << round;
    ASSERT_TRUE(apply_changes(copy, changes));
    ASSERT_TRUE(round == 0 || apply_changes(copy, before));
    ASSERT_TRUE(copy == origin.state()) << "applied again; seed " << GetParam() << " round " << round;
    before = changes;
  }
  EXPECT_FALSE(origin.state().windows.evictions().empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, StateRoundTrip, ::testing::Range(1u, 16u));

TEST(StateChanges, AGapAsksForTheWholeState) {
  const auto rules = state_ruleset();
  std::mt19937 random(3);
  logtest_session origin(rules, analysis_path::live);
  origin.state().track_changes = true;
  std::int64_t now = testing::noon_ms;
  byte_buffer lost, next;
  run_some(origin, random, now, 20);
  encode_changes(origin.state(), lost);
  run_some(origin, random, now, 20);
  encode_changes(origin.state(), next);
  shard_state copy;
  const auto applied = apply_changes(copy, next);
  ASSERT_FALSE(applied);
  EXPECT_EQ(applied.error().code, errc::not_found);
}

TEST(StateRoundTripOf, DamagedBytesAreAnErrorNeverACrash) {
  const auto rules = state_ruleset();
  std::mt19937 random(5);
  logtest_session origin(rules, analysis_path::live);
  std::int64_t now = testing::noon_ms;
  run_some(origin, random, now, 60);
  byte_buffer bytes;
  encode(origin.state(), bytes);
  EXPECT_FALSE(decode_state({}));
  for (std::size_t length = 0; length < bytes.size(); length += 37)
    EXPECT_FALSE(decode_state(byte_view{bytes}.subspan(0, length)));
  for (int i = 0; i < 2000; ++i) {
    auto damaged = bytes;
    damaged[random() % damaged.size()] = static_cast<std::byte>(random());
    const auto decoded = decode_state(damaged); // may succeed: many bytes are texts
    if (decoded) {
      byte_buffer again;
      encode(**decoded, again);
    }
  }
}

TEST(Rebind, WindowsOfTheSameContentGoOn) {
  const char* changed = R"(<group name="g,">
<rule id="100" level="4"><decoded_as>json</decoded_as><description>new</description></rule>
<rule id="999" level="3"><match>never</match><description>d</description></rule>
<rule id="201" level="7" frequency="2"><if_matched_sid>100</if_matched_sid><same_srcip/><description>d</description></rule>
</group>)";
  const auto first = state_ruleset();
  const auto second = state_ruleset(changed);
  logtest_session session(first, analysis_path::live);
  ASSERT_TRUE(session.run(R"({"srcip":"10.0.0.1"})", "/x", testing::noon_ms));
  const auto windows_before = session.state().windows.windows();
  logtest_session after(second, analysis_path::live);
  after.state() = std::move(session.state());
  const auto report = rebind(after.state(), *second);
  EXPECT_EQ(report.windows_kept, 1u);
  EXPECT_EQ(report.windows_kept + report.windows_dropped, windows_before);
  EXPECT_EQ(testing::rule_of(after, R"({"srcip":"10.0.0.1"})"), 201u);
}

} // namespace
} // namespace picket::engine
