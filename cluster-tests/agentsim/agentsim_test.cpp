#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/agentsim/testing/fake_node.hpp"
#include "protocol/agent/event_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace picket::agentsim {
namespace {

using ::testing::HasSubstr;

// ---- one agent in virtual time ----

/// Plays the server of one agent whose bytes it sees.
class Agent : public ::testing::Test {
protected:
  Agent() { agent.emplace(who(), agent_options{}); }
  static agent_identity who() { return {"007", "sim-007", "any", "some-key"}; }
  /// The messages that the agent wants to send, opened; taken out of its output.
  std::vector<std::string> sent() {
    std::vector<std::string> all;
    protocol::record_opener opener{protocol::derive_record_key("007", "sim-007", "some-key")};
    protocol::open_scratch scratch;
    byte_view rest{agent->output};
    while (!rest.empty()) {
      auto cut = protocol::cut_frame(rest);
      if (cut.status != protocol::frame_status::complete) break;
      rest = rest.subspan(cut.consumed);
      auto head = protocol::parse_record_head(cut.record);
      EXPECT_EQ(head->id, "007");
      auto opened = opener.open(head->cipher, head->ciphertext, scratch);
      all.emplace_back(opened ? opened->message : "does not open");
      EXPECT_GT(opened->counters, last);
      last = opened->counters;
    }
    agent->output_sent = agent->output.size();
    agent->trim_output();
    return all;
  }
  sim_agent::ask server_says(std::string_view message, std::int64_t now_ms) {
    protocol::record_sealer sealer{protocol::derive_record_key("007", "sim-007", "some-key")};
    protocol::seal_scratch scratch;
    byte_buffer frame;
    EXPECT_TRUE(sealer.seal_framed(message, {}, frame, scratch));
    return agent->on_bytes(frame, now_ms);
  }
  void connect_at(std::int64_t now_ms) {
    agent->on_connected(now_ms);
    sent();
    server_says(protocol::ack_message, now_ms);
  }

  std::optional<sim_agent> agent;
  protocol::counter_pair last;
};

using ask = sim_agent::ask;
using phase = sim_agent::phase;

TEST_F(Agent, ConnectsAnnouncesItselfAndKeepsAlive) {
  EXPECT_EQ(agent->start(0), ask::open);
  EXPECT_EQ(agent->on_connected(5), ask::nothing);
  EXPECT_THAT(sent(), ::testing::ElementsAre(R"(#!-agent startup {"version":"v4.14.7"})"));
  EXPECT_EQ(agent->now(), phase::starting);
  EXPECT_EQ(server_says(protocol::ack_message, 100), ask::nothing);
  EXPECT_EQ(agent->now(), phase::connected);
  EXPECT_THAT(sent(), ::testing::ElementsAre("1:wazuh-agent:ossec: Agent started: 'sim-007->any'."));
  EXPECT_EQ(agent->next_timer_ms(), 20'100);
  agent->on_timer(20'099);
  EXPECT_TRUE(sent().empty());
  agent->on_timer(20'100);
  auto alive = sent();
  ASSERT_EQ(alive.size(), 1u);
  EXPECT_THAT(alive[0], HasSubstr("x merged.mg\n"));
  EXPECT_EQ(agent->next_timer_ms(), 40'100);
}

TEST_F(Agent, GivesUpAnUnansweredStartupAfterAMinuteAndTriesAgainTenSecondsLater) {
  agent->start(0);
  agent->on_connected(0);
  EXPECT_EQ(agent->on_timer(59'999), ask::nothing);
  EXPECT_EQ(agent->now(), phase::starting);
  EXPECT_EQ(agent->on_timer(60'000), ask::nothing) << "the socket stays open meanwhile";
  EXPECT_EQ(agent->now(), phase::waiting);
  EXPECT_EQ(agent->on_timer(69'999), ask::nothing);
  EXPECT_EQ(agent->on_timer(70'000), ask::open);
}

TEST_F(Agent, ARefusalOrAnythingElseFirstFailsTheAttempt) {
  for (auto* first : {"#!-err {\"message\":\"no\"}", "#!-agent ack", "#!-up file 0 merged.mg\n", "chunk"}) {
    agent.emplace(who(), agent_options{});
    last = {};
    agent->start(0);
    agent->on_connected(0);
    EXPECT_EQ(server_says(first, 50), ask::nothing) << first;
    EXPECT_EQ(agent->now(), phase::waiting) << first;
    EXPECT_EQ(agent->next_timer_ms(), 10'050);
  }
}

TEST_F(Agent, TurnsToTheNextServerAfterFiveFailures) {
  agent_options options;
  options.servers = 2;
  agent.emplace(who(), options);
  std::int64_t now_ms = 0;
  std::string servers;
  agent->start(now_ms);
  for (int i = 0; i < 11; ++i) {
    servers += std::to_string(agent->server());
    EXPECT_EQ(agent->on_closed(now_ms), ask::close);
    now_ms += 10'000;
    EXPECT_EQ(agent->on_timer(now_ms), ask::open);
  }
  EXPECT_EQ(servers, "00000111110");
}

TEST_F(Agent, ReconnectsAtOnceWhenTheServerEndsTheConnection) {
  agent->start(0);
  connect_at(0);
  EXPECT_EQ(agent->on_closed(500), ask::open);
  EXPECT_EQ(agent->counts().lost_connections, 1u);
  agent->on_connected(501);
  EXPECT_EQ(sent().size(), 1u);
  server_says(protocol::ack_message, 502);
  EXPECT_TRUE(sent().empty()) << "it announces itself only once";
  EXPECT_EQ(agent->next_timer_ms(), 20'000) << "the schedule of keep-alives goes on";
}

TEST_F(Agent, AKeepaliveThatFellDueFollowsTheAck) {
  agent->start(0);
  connect_at(0);
  sent();
  agent->on_closed(19'000);
  agent->on_connected(25'000);
  sent();
  server_says(protocol::ack_message, 25'010);
  EXPECT_EQ(sent().size(), 1u);
}

TEST_F(Agent, LeavesAServerThatIsSilentForAMinute) {
  agent->start(0);
  connect_at(0);
  for (std::int64_t now_ms = 20'000; now_ms <= 60'000; now_ms += 20'000)
    EXPECT_EQ(agent->on_timer(now_ms), ask::nothing) << now_ms;
  EXPECT_EQ(agent->on_timer(60'001), ask::open);
}

TEST_F(Agent, ForceReconnectEndsTheConnectionAfterWhatIsQueued) {
  agent->start(0);
  connect_at(0);
  sent();
  agent->send_message("1:a:b");
  EXPECT_EQ(server_says(protocol::force_reconnect_message, 10), ask::finish);
  EXPECT_EQ(sent().size(), 1u);
  EXPECT_EQ(agent->on_closed(20), ask::open);
  EXPECT_EQ(agent->counts().lost_connections, 0u);
}

TEST_F(Agent, TakesAConfigurationAndReportsItsSum) {
  agent->start(0);
  connect_at(0);
  sent();
  server_says("#!-up file 900150983cd24fb0d6963f7d28e17f72 merged.mg\n", 1);
  server_says("ab", 2);
  server_says("c", 2);
  server_says("#!-close file ", 3);
  agent->on_timer(20'000);
  auto alive = sent();
  ASSERT_EQ(alive.size(), 1u);
  EXPECT_THAT(alive[0], HasSubstr("\n900150983cd24fb0d6963f7d28e17f72 merged.mg\n"));
}

TEST_F(Agent, GarbageIsSkippedAndAWrongLengthEndsTheConnection) {
  agent->start(0);
  connect_at(0);
  byte_buffer garbage;
  protocol::append_frame(garbage, as_bytes("#AES:0123456789abcdef"));
  EXPECT_EQ(agent->on_bytes(garbage, 1), ask::nothing);
  EXPECT_EQ(agent->counts().bad_records, 1u);
  EXPECT_EQ(agent->on_bytes(from_hex("00000000").value(), 2), ask::open);
}

TEST_F(Agent, SaysGoodbyeOnlyWhenConnected) {
  agent->start(0);
  EXPECT_EQ(agent->stop(1), ask::close);
  agent.emplace(who(), agent_options{});
  last = {};
  agent->start(0);
  connect_at(0);
  sent();
  EXPECT_EQ(agent->stop(1), ask::finish);
  EXPECT_THAT(sent(), ::testing::ElementsAre(protocol::shutdown_message));
  EXPECT_EQ(agent->on_closed(2), ask::close);
}

// ---- lines and verdicts ----

TEST(Lines, NumbersAreFoundAgain) {
  auto text = "sshd[1]: some text" + number_suffix("run-a", "007", 42);
  auto number = number_of(text);
  ASSERT_TRUE(number);
  EXPECT_EQ(number->run, "run-a");
  EXPECT_EQ(number->agent, "007");
  EXPECT_EQ(number->number, 42u);
  for (auto* none :
       {"", "text", "x picketsim=", "x picketsim=a:b", "x picketsim=a:b:c", "x picketsim=a:b:1c"})
    EXPECT_FALSE(number_of(none)) << none;
}

TEST(Lines, FilesAreReadWithTheirLocations) {
  picket::testing::scratch_directory scratch;
  auto file = scratch.write("a.log", "one\r\n\ntwo\nthree").string();
  line_set lines;
  ASSERT_TRUE(lines.add_file(file + "=C:\\a.log"));
  ASSERT_TRUE(lines.add_file(file));
  EXPECT_EQ(lines.lines.size(), 6u);
  EXPECT_EQ(lines.message(1, "!"), "1:C|:\\a.log:two!");
  EXPECT_EQ(lines.message(6, ""), "1:C|:\\a.log:one");
  EXPECT_EQ(lines.add_file("/does/not/exist").error().code, errc::not_found);
}

std::string archived(int id, std::string_view agent, std::uint64_t number, std::string_view run = "1") {
  return "{\"id\":\"17." + std::to_string(id) + "\",\"full_log\":\"text" + number_suffix(run, agent, number)
         + "\"}";
}

TEST(Verify, FindsWhatIsLostDoubledAndOutOfOrder) {
  verifier all{"1"};
  int id = 0;
  for (std::uint64_t n : {1, 2, 4, 3, 3, 7})
    all.take_line(archived(++id, "001", n));
  all.take_line(archived(1, "002", 1)); // an id that stands twice
  all.take_line(archived(99, "002", 2, "other run"));
  all.take_line("{\"full_log\":\"no number\"}");
  all.take_line("no json");
  auto verdict_now = all.judge({{"001", 7}, {"002", 1}, {"003", 2}});
  EXPECT_EQ(verdict_now.expected, 10u);
  EXPECT_EQ(verdict_now.found, 6u);
  EXPECT_EQ(verdict_now.lost, 4u) << "5 and 6 of the first, both of the third";
  EXPECT_EQ(verdict_now.doubled_number, 1u);
  EXPECT_EQ(verdict_now.doubled_id, 1u);
  EXPECT_EQ(verdict_now.out_of_order, 1u);
  EXPECT_EQ(verdict_now.unreadable, 1u);
  EXPECT_EQ(verdict_now.other_events, 2u);
  EXPECT_FALSE(verdict_now.good());
  EXPECT_THAT(to_string(verdict_now), HasSubstr("agent 001, 2 of 7 lost, the first is line 5"));
}

TEST(Verify, IsContentWithAllInOrder) {
  verifier all{"1"};
  for (int n = 1; n <= 5; ++n)
    all.take_line(archived(n, "001", static_cast<std::uint64_t>(n)));
  EXPECT_TRUE(all.judge({{"001", 5}}).good());
  EXPECT_EQ(all.judge({}).expected, 5u) << "without a count, up to the greatest number";
}

// ---- many agents against a server ----

class Simulator : public ::testing::Test {
protected:
  sim_options options() const {
    sim_options all;
    all.servers = {node.agent_port()};
    all.enroll = node.enroll_port();
    all.agents = 10;
    all.lines_per_agent = 50;
    all.number = true;
    all.timeout_ms = 60'000;
    return all;
  }
  static sim_report run(simulator& sim) {
    auto ready = sim.prepare();
    EXPECT_TRUE(ready) << to_string(ready.error());
    auto report = sim.run();
    EXPECT_TRUE(report);
    return *report;
  }
  verdict verify(const simulator& sim) const {
    verifier found{"1"};
    file_follower file{node.archives()};
    EXPECT_TRUE(file.read_on(found));
    return found.judge(sim.sent_by_agent());
  }

  fake_node node;
};

TEST_F(Simulator, SendsEveryLineOfEveryAgent) {
  simulator sim{options()};
  auto report = run(sim);
  EXPECT_EQ(report.enrolled, 10u);
  EXPECT_EQ(report.connected, 10u);
  EXPECT_EQ(report.sent, 500u);
  EXPECT_EQ(report.accepted, 500u);
  EXPECT_EQ(report.unsent, 0u);
  EXPECT_EQ(report.totals.bad_records, 0u);
  auto found = verify(sim);
  EXPECT_TRUE(found.good()) << to_string(found);
  EXPECT_EQ(found.found, 500u);
  EXPECT_EQ(found.other_events, 10u) << "each said that it has started";
  EXPECT_THAT(node.enrollments(), ::testing::Contains("OSSEC A:'sim-001' V:'v4.14.7'"));
  EXPECT_THAT(node.controls(), ::testing::Contains("001 #!-agent shutdown "));
  EXPECT_THAT(to_string(report), HasSubstr("events sent 500"));
  EXPECT_THAT(to_json(report, &found), HasSubstr("\"lost\":0"));
}

TEST_F(Simulator, SendsPrebuiltRecordsAndBlowfishToo) {
  auto all = options();
  all.prebuilt = true;
  all.agent.cipher = protocol::record_cipher::blowfish;
  simulator sim{all};
  EXPECT_EQ(run(sim).sent, 500u);
  EXPECT_TRUE(verify(sim).good());
}

TEST_F(Simulator, KeepsIdentitiesInAFile) {
  picket::testing::scratch_directory scratch;
  auto all = options();
  all.keys_file = (scratch.path() / "sim.keys").string();
  {
    simulator sim{all};
    EXPECT_EQ(run(sim).enrolled, 10u);
  }
  struct stat info {};
  ASSERT_EQ(stat(all.keys_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600u);
  all.agents = 12;
  all.run = "2";
  simulator sim{all};
  EXPECT_EQ(run(sim).enrolled, 2u);
  EXPECT_EQ(node.enrollments().size(), 12u);
}

TEST_F(Simulator, HoldsItsRate) {
  auto all = options();
  all.lines_per_agent = 20;
  all.rate_per_s = 400;
  simulator sim{all};
  auto report = run(sim);
  EXPECT_EQ(report.sent, 200u);
  EXPECT_GE(report.seconds, 0.45);
  EXPECT_TRUE(verify(sim).good());
}

TEST_F(Simulator, StopsSendingWhenItsTimeIsOver) {
  auto all = options();
  all.lines_per_agent = 0;
  all.rate_per_s = 1'000;
  all.duration_ms = 200;
  simulator sim{all};
  auto report = run(sim);
  EXPECT_GE(report.sent, 100u);
  EXPECT_LE(report.sent, 400u);
  EXPECT_EQ(report.unsent, 0u);
  EXPECT_TRUE(verify(sim).good());
}

TEST_F(Simulator, AConnectionThatTheServerEndsIsMadeAnewAndTheRestIsSent) {
  node.close_after_events = 20;
  auto all = options();
  all.rate_per_s = 2'000;
  simulator sim{all};
  auto report = run(sim);
  EXPECT_EQ(report.sent, 500u);
  EXPECT_EQ(report.totals.lost_connections, 10u);
  auto found = verify(sim);
  EXPECT_EQ(found.doubled_number, 0u) << to_string(found);
  EXPECT_EQ(found.out_of_order, 0u) << to_string(found);
}

TEST_F(Simulator, ForceReconnectLosesNothing) {
  node.force_reconnect_after = 20;
  simulator sim{options()};
  auto report = run(sim);
  EXPECT_EQ(report.sent, 500u);
  EXPECT_TRUE(verify(sim).good()) << to_string(verify(sim));
}

TEST_F(Simulator, SeesWhatTheServerLosesAndDoubles) {
  node.lose_every = 100;
  node.double_every = 70;
  simulator sim{options()};
  run(sim);
  auto found = verify(sim);
  EXPECT_GE(found.lost, 4u);
  EXPECT_GE(found.doubled_number, 5u);
  EXPECT_EQ(found.doubled_id, 0u);
}

TEST_F(Simulator, SaysWhyAnEnrollmentWasRefused) {
  node.refuse_enrollment = "Invalid password";
  simulator sim{options()};
  auto ready = sim.prepare();
  ASSERT_FALSE(ready);
  EXPECT_THAT(ready.error().what, HasSubstr("was refused: Invalid password"));
}

TEST_F(Simulator, SaysWhatTheServerAnsweredToAStartupItRefuses) {
  node.refuse_startups = true;
  auto all = options();
  all.agents = 2;
  all.timeout_ms = 500;
  simulator sim{all};
  auto report = run(sim);
  EXPECT_EQ(report.connected, 0u);
  EXPECT_TRUE(report.timed_out);
  EXPECT_THAT(report.refusals, ::testing::ElementsAre(protocol::key_in_use_text));
}

TEST_F(Simulator, CanBeStoppedFromAnotherThread) {
  auto all = options();
  all.lines_per_agent = 0;
  all.duration_ms = 600'000;
  all.rate_per_s = 1'000;
  simulator sim{all};
  ASSERT_TRUE(sim.prepare());
  std::thread stopper{[&] {
    while (sim.sent_so_far() < 50)
      std::this_thread::yield();
    sim.stop();
  }};
  auto report = sim.run();
  stopper.join();
  ASSERT_TRUE(report);
  EXPECT_GE(report->sent, 50u);
}

TEST_F(Simulator, OneAgentAtATimeForTestsThatLookClosely) {
  tls_client_context context;
  auto answer = exchange_line(context, resolve(node.enroll_port()).value(), "OSSEC A:'close-look'\n", 10'000);
  ASSERT_TRUE(answer) << to_string(answer.error());
  auto who = identity_of(*answer);
  ASSERT_TRUE(who) << who.error();
  blocking_agent agent{*who};
  ASSERT_TRUE(agent.connect(resolve(node.agent_port()).value()));
  EXPECT_EQ(agent.startup().value(), protocol::ack_message);
  EXPECT_TRUE(agent.send_event("/var/log/x", "hello"));
  EXPECT_EQ(agent.keepalive().value(), protocol::ack_message);
  EXPECT_THAT(node.events(), ::testing::ElementsAre(who->id + " 1:/var/log/x:hello"));
  auto record = agent.seal("1:a:b");
  record.back() ^= std::byte{1};
  ASSERT_TRUE(agent.send_record(record));
  EXPECT_TRUE(agent.wait_closed());
  EXPECT_FALSE(exchange_line(context, resolve("127.0.0.1:1").value(), "x\n", 1'000));
}

} // namespace
} // namespace picket::agentsim
