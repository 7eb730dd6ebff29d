#include "protocol/agent/connection_state.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace picket::protocol {
namespace {

constexpr std::int64_t second = 1'000;
constexpr std::int64_t start = 1'700'000'000'000;

TEST(ConnectionState, FollowsAnAgentThroughItsLife) {
  connection_limits limits;
  connection_state agent;
  EXPECT_EQ(name_of(agent.state), "never_connected");
  agent.on_startup(start, version_verdict::accepted);
  EXPECT_EQ(agent.state, agent_state::pending);
  EXPECT_EQ(agent.last_keepalive_ms, start);
  agent.on_keepalive(start + 20 * second);
  EXPECT_EQ(agent.state, agent_state::active);
  EXPECT_EQ(agent.sweep(start + 920 * second, limits), std::nullopt);
  EXPECT_EQ(agent.state, agent_state::active);
  EXPECT_EQ(agent.next_sweep_ms(limits), start + 920 * second + 1);
  EXPECT_EQ(agent.sweep(start + 920 * second + 1, limits), agent_notice::disconnected);
  EXPECT_EQ(agent.state, agent_state::disconnected);
  EXPECT_EQ(agent.code, status_code::no_keepalive);
  EXPECT_EQ(agent.disconnection_ms, start + 920 * second + 1);
  EXPECT_EQ(agent.sweep(start + 2'000 * second, limits), std::nullopt) << "the notice goes out once";
  agent.on_keepalive(start + 2'001 * second);
  EXPECT_EQ(agent.state, agent_state::active);
  EXPECT_EQ(agent.disconnection_ms, 0);
  EXPECT_EQ(agent.code, status_code::none);
  EXPECT_EQ(agent.on_shutdown(start + 2'002 * second), agent_notice::stopped);
  EXPECT_EQ(agent.state, agent_state::disconnected);
  EXPECT_EQ(agent.code, status_code::shutdown_received);
  EXPECT_EQ(agent.on_shutdown(start + 2'003 * second), std::nullopt);
}

TEST(ConnectionState, APendingAgentThatNeverSpeaksIsDisconnectedToo) {
  connection_state agent;
  agent.on_startup(start, version_verdict::accepted);
  EXPECT_EQ(agent.sweep(start + 901 * second, {}), agent_notice::disconnected);
}

TEST(ConnectionState, ARefusedStartupLeavesTheStateAndStoresWhy) {
  connection_state agent;
  agent.on_startup(start, version_verdict::too_high);
  EXPECT_EQ(agent.state, agent_state::never_connected);
  EXPECT_EQ(agent.code, status_code::invalid_version);
  agent.on_startup(start, version_verdict::accepted);
  agent.on_keepalive(start);
  agent.on_startup(start + 5, version_verdict::missing);
  EXPECT_EQ(agent.state, agent_state::active);
  EXPECT_EQ(agent.code, status_code::version_missing);
  EXPECT_EQ(agent.last_keepalive_ms, start);
}

TEST(ConnectionState, TheNoticeWaitsForItsDelay) {
  connection_limits limits;
  limits.disconnection_ms = 10 * second;
  limits.alert_delay_ms = 30 * second;
  connection_state agent;
  agent.on_startup(start, version_verdict::accepted);
  EXPECT_EQ(agent.sweep(start + 11 * second, limits), std::nullopt);
  EXPECT_EQ(agent.state, agent_state::disconnected);
  EXPECT_EQ(agent.next_sweep_ms(limits), start + 41 * second);
  auto back = agent;
  EXPECT_EQ(agent.sweep(start + 41 * second, limits), agent_notice::disconnected);
  EXPECT_EQ(agent.next_sweep_ms(limits), std::nullopt);
  back.on_startup(start + 12 * second, version_verdict::accepted);
  EXPECT_EQ(back.sweep(start + 13 * second, limits), std::nullopt) << "it came back in time";
}

TEST(ConnectionState, AStartOfTheNodeDisconnectsWhoWasThere) {
  connection_state never;
  never.on_node_start(start);
  EXPECT_EQ(never.state, agent_state::never_connected);
  connection_state agent;
  agent.on_startup(start, version_verdict::accepted);
  agent.on_node_start(start + 1);
  EXPECT_EQ(agent.state, agent_state::disconnected);
  EXPECT_EQ(agent.code, status_code::reset_by_manager);
  EXPECT_EQ(agent.sweep(start + 10'000 * second, {}), std::nullopt);
  auto before = agent;
  agent.on_node_start(start + 2);
  EXPECT_EQ(agent, before);
}

class Takeover : public ::testing::Test {
protected:
  takeover_verdict startup(counter_pair pair, std::int64_t now_s, std::int64_t silent_for_s = 0) {
    return guard.on_startup(pair, start + now_s * second, true, start + (now_s - silent_for_s) * second, {});
  }
  takeover_guard guard;
};

TEST_F(Takeover, TheFirstConnectionNeedsNoProof) {
  EXPECT_EQ(guard.on_startup({5, 1}, start, false, 0, {}), takeover_verdict::first);
  EXPECT_EQ(guard.highest(), (counter_pair{5, 1}));
}

TEST_F(Takeover, AHigherPairTakesOverAtOnceALowerOneWaitsForSilence) {
  guard.on_startup({5, 1}, start, false, 0, {});
  guard.on_record({5, 90});
  EXPECT_EQ(startup({5, 90}, 1), takeover_verdict::refuse) << "a captured record evicts nobody";
  EXPECT_EQ(startup({0, 1}, 2), takeover_verdict::refuse);
  EXPECT_EQ(startup({5, 91}, 3), takeover_verdict::take_over);
  EXPECT_EQ(startup({0, 1}, 4, 59), takeover_verdict::refuse);
  EXPECT_EQ(startup({0, 1}, 5, 60), takeover_verdict::take_over);
  EXPECT_EQ(guard.highest(), (counter_pair{5, 91})) << "stays: the next clone is measured by it";
}

TEST_F(Takeover, TheFourthInTenMinutesIsRefusedForAMinute) {
  guard.on_startup({1, 1}, start, false, 0, {});
  EXPECT_EQ(startup({1, 2}, 10), takeover_verdict::take_over);
  EXPECT_EQ(startup({1, 3}, 20), takeover_verdict::take_over);
  EXPECT_EQ(startup({1, 4}, 30), takeover_verdict::take_over);
  EXPECT_EQ(startup({1, 5}, 40), takeover_verdict::refuse_clone) << "and the operator is told";
  EXPECT_TRUE(guard.limited(start + 99 * second));
  EXPECT_EQ(startup({1, 6}, 99), takeover_verdict::refuse);
  EXPECT_EQ(startup({1, 7}, 641), takeover_verdict::take_over);
}

TEST_F(Takeover, ACloneThatIsRefusedAgainAndAgainIsToldOnceInTenMinutes) {
  guard.on_startup({100, 1}, start, false, 0, {});
  std::vector<std::int64_t> told_s;
  for (std::int64_t now_s = 10; now_s < 2'000; now_s += 10) {
    auto verdict = startup({0, 1}, now_s);
    ASSERT_TRUE(is_refusal(verdict));
    if (verdict == takeover_verdict::refuse_clone) told_s.push_back(now_s);
  }
  EXPECT_EQ(told_s, (std::vector<std::int64_t>{60, 670, 1'280, 1'890}));
}

TEST_F(Takeover, ABacklogOfItsOwnDeadConnectionsIsNoClone) {
  guard.on_startup({100, 9}, start, false, 0, {});
  for (std::uint16_t i = 4; i < 9; ++i)
    EXPECT_EQ(startup({100, i}, 1), takeover_verdict::refuse);
  for (std::uint16_t i = 4; i < 9; ++i)
    EXPECT_EQ(startup({100, i}, 700), takeover_verdict::refuse) << "another stall, another window";
}

} // namespace
} // namespace picket::protocol
