#include "actors/agent_session/agent_session.hpp"

#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"
#include "actors/testing/recorded_notices.hpp"
#include "base/time.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;

/// Remembers what would have gone to the agent.
struct recording_channel final : agent_channel {
  bool send(std::string_view message) override {
    if (full) return false;
    sent.emplace_back(message);
    return true;
  }
  bool superseded() const override { return replaced; }
  bool needs_heartbeat(std::int64_t, std::int64_t) const override { return waiting; }

  std::vector<std::string> sent;
  bool full = false;
  bool replaced = false;
  bool waiting = false;
};

class AgentSession : public testing::deterministic_actors {
protected:
  void SetUp() override {
    session_setup setup;
    setup.agent = 7;
    setup.name = "web-01";
    setup.registered_address = "any";
    setup.registration = 3;
    setup.channel = channel;
    setup.statuses = statuses;
    setup.notices = notices;
    setup.counts = counts;
    setup.log = event_log::silent();
    session = spawn(agent_session, setup);
  }

  void control(std::vector<std::string> texts, std::int64_t arrival_ms = 1'000) {
    auto batch = std::make_shared<control_batch>();
    for (auto& text : texts)
      batch->messages.push_back({std::move(text), arrival_ms});
    tell(session, control_atom_v, control_batch_ptr{std::move(batch)});
  }

  agent_status status() { return statuses->get(7).value_or(agent_status{}); }

  std::shared_ptr<recording_channel> channel = std::make_shared<recording_channel>();
  std::shared_ptr<testing::recorded_notices> notices = std::make_shared<testing::recorded_notices>();
  std::shared_ptr<agent_status_table> statuses = std::make_shared<agent_status_table>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  agent_session_actor session;
};

const std::string keepalive_text = "#!-Linux |web-01 |5.15.0 |#101 |x86_64 [Ubuntu|ubuntu: 22.04] - Wazuh "
                                   "v4.14.7 / 0123456789abcdef0123456789abcdef\n"
                                   "\"site\":lab\n!\"secret\":x\nx merged.mg\n#\"_agent_ip\":192.0.2.7\n";

TEST_F(AgentSession, AcknowledgesAKeepAliveAndKeepsWhatItSays) {
  control({keepalive_text}, 5'000);
  EXPECT_EQ(channel->sent, std::vector<std::string>{"#!-agent ack "});
  EXPECT_EQ(status().connection.state, protocol::agent_state::active);
  EXPECT_EQ(status().connection.last_keepalive_ms, 5'000);
  EXPECT_EQ(status().last_keepalive.agent_ip, "192.0.2.7");
  ASSERT_EQ(status().last_keepalive.labels.size(), 2u);
  EXPECT_TRUE(status().last_keepalive.labels[1].hidden);
  EXPECT_EQ(status().registration, 3u);
}

TEST_F(AgentSession, AShutdownIsNotAnsweredAndBecomesAnEvent) {
  control({keepalive_text, "#!-agent shutdown "}, 9'000);
  EXPECT_EQ(channel->sent.size(), 1u) << "only the keep-alive is acknowledged";
  EXPECT_EQ(status().connection.state, protocol::agent_state::disconnected);
  EXPECT_EQ(status().connection.code, protocol::status_code::shutdown_received);
  ASSERT_EQ(notices->taken.size(), 1u);
  EXPECT_EQ(notices->taken[0], "007 wazuh-remoted ossec: Agent stopped: 'web-01->any'.");
}

TEST_F(AgentSession, ANoticeWithoutRoomIsHandedInLater) {
  notices->full = true;
  control({keepalive_text, "#!-agent shutdown "});
  EXPECT_TRUE(notices->taken.empty());
  notices->full = false;
  advance(10s, 1s);
  EXPECT_EQ(notices->taken.size(), 1u);
  advance(20s, 1s);
  EXPECT_EQ(notices->taken.size(), 1u) << "once";
}

TEST_F(AgentSession, ASessionThatEndsWithANoticeInHandWaitsForRoom) {
  notices->full = true;
  control({keepalive_text, "#!-agent shutdown "});
  tell(session, closed_atom_v);
  notices->full = false;
  advance(10s, 1s);
  EXPECT_EQ(notices->taken.size(), 1u);
}

TEST_F(AgentSession, WritesNothingOnceSuperseded) {
  channel->replaced = true;
  control({keepalive_text});
  EXPECT_TRUE(channel->sent.empty());
  EXPECT_EQ(status().connection.state, protocol::agent_state::active) << "what it said still counts";
  auto sent = ask<bool>(session, to_agent_atom_v, std::string{"#!-force_reconnect"});
  ASSERT_TRUE(sent);
  EXPECT_FALSE(*sent);
}

TEST_F(AgentSession, AcknowledgesByTimerWhileRecordsWait) {
  advance(30s, 1s);
  EXPECT_TRUE(channel->sent.empty()) << "nothing waits";
  channel->waiting = true;
  advance(30s, 1s);
  EXPECT_EQ(channel->sent.size(), 3u) << "every 10 s";
}

TEST_F(AgentSession, SendsWhatOthersHaveForTheAgent) {
  auto sent = ask<bool>(session, to_agent_atom_v, std::string{"#!-force_reconnect"});
  ASSERT_TRUE(sent);
  EXPECT_TRUE(*sent);
  EXPECT_EQ(channel->sent, std::vector<std::string>{"#!-force_reconnect"});
  channel->full = true;
  EXPECT_FALSE(*ask<bool>(session, to_agent_atom_v, std::string{"#!-x"}));
}

TEST_F(AgentSession, CountsWhatItDoesNotUnderstand) {
  control({"#!-whatever", "#!-req 1 ok"});
  EXPECT_EQ(counts->session_control_messages_total.value_for("unknown"), 1);
  EXPECT_EQ(counts->session_control_messages_total.value_for("request"), 1);
  EXPECT_TRUE(channel->sent.empty());
}

TEST_F(AgentSession, ATextThatIsNoUtf8IsMended) {
  control({"#!-Linux |w\xff |1 |2 |x86_64 [a|b: c] - Wazuh v4.14.7\nx merged.mg\n"});
  EXPECT_NE(status().last_keepalive.uname.find("\xef\xbf\xbd"), std::string::npos);
}

TEST(AgentStatus, ARowReadsBackAsItWasWritten) {
  agent_status status;
  status.registration = 9;
  status.connection.state = protocol::agent_state::disconnected;
  status.connection.code = protocol::status_code::no_keepalive;
  status.connection.last_keepalive_ms = 11;
  status.connection.disconnection_ms = 12;
  status.connection.notice_due = true;
  status.last_keepalive = protocol::parse_keepalive(keepalive_text.substr(3));
  status.synced = false;
  auto back = decode_status(encode_status(status));
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_EQ(*back, status);
  EXPECT_FALSE(decode_status("junk"));
  EXPECT_FALSE(decode_status(""));
}

} // namespace
} // namespace picket
