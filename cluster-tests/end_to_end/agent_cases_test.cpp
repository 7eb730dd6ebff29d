// The cases of agent-protocol.md section 10 on the agent port, against a real node. Case 32 runs on an
// injected clock: actors/membership/membership_test.cpp.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "protocol/agent/frame.hpp"

namespace picket {
namespace {

using agentsim::blocking_agent;
using harness::eventually;
using ::testing::HasSubstr;

const std::string ack = "#!-agent ack ";

/// Records of the worked transcript (11.2, 11.3), agent to server.
constexpr std::string_view event_hex = "2130303721234145533a2ac11cce0d5a482377c54330141d76e0f191723702b719c43"
                                       "ab9d6ff7717e53261d80984594531b2b9a141ccf638"
                                       "a96ce75143a7c247294c324e289195672a85694ba320fd2c07459458a538f13a5f242"
                                       "26a8dcab4c5fca3e402950ed83c21a2705f62cfcfc7"
                                       "9e010c0f995fef668929fa66a6d0965c0fce651acacf83ff8f67c31928d0eb11ceaeb"
                                       "b86820238fffa05ce8979a2b167283ca30f20297262"
                                       "2a6f";
constexpr std::string_view startup_hex =
    "2130303721234145533a8cad61dad1a0156dec05c612a7efdb7582c87195d279af202b52c72cd720272f913a2cf3f82d1294c3d2"
    "8e4f229a"
    "5f98ff5abecf3602ad849c3aafc2b9e5887d776b64bbb00510779d746a80be70625a0dce687b46f5fdc1260309e8366440fe";

class AgentCases : public ::testing::Test {
protected:
  harness::node_process& node(harness::settings with = {}) {
    if (node_) return *node_;
    harness::seed_agent(dir.path(), harness::transcript_agent());
    node_ = std::make_unique<harness::node_process>(dir.path(), std::move(with));
    auto started = node_->start();
    EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
    return *node_;
  }

  blocking_agent connect(const agentsim::agent_identity& who = harness::transcript_agent(),
                         const char* from = nullptr) {
    blocking_agent agent{who};
    std::optional<agentsim::socket_address> source;
    if (from != nullptr) source = agentsim::source_address(from, 0).value();
    auto connected = agent.connect(node().agents(), source ? &*source : nullptr);
    EXPECT_TRUE(connected) << (connected ? "" : to_string(connected.error()));
    return agent;
  }

  /// Connected and acknowledged.
  blocking_agent active(const agentsim::agent_identity& who = harness::transcript_agent()) {
    auto agent = connect(who);
    auto answer = agent.startup();
    EXPECT_TRUE(answer && *answer == ack) << (answer ? *answer : to_string(answer.error()));
    return agent;
  }

  /// Archived events whose text holds `part`.
  std::vector<nlohmann::json> archived(const std::string& part) {
    std::vector<nlohmann::json> found;
    for (auto& event : node().archives())
      if (event.value("full_log", "").find(part) != std::string::npos) found.push_back(event);
    return found;
  }

  bool arrives(const std::string& part, std::size_t times = 1) {
    return eventually([&] { return archived(part).size() >= times; });
  }

  double bad(const std::string& reason) {
    return node().metric("picket_ingest_bad_records_total{reason=\"" + reason + "\"}");
  }

  static byte_buffer bytes_of(std::string_view hex) { return *from_hex(hex); }

  testing::scratch_directory dir;
  std::unique_ptr<harness::node_process> node_;
};

TEST_F(AgentCases, Case18_APingIsAnsweredAndTheConnectionStays) {
  auto peer = connect();
  ASSERT_TRUE(peer.send_bytes(bytes_of("050000002370696e67")));
  auto pong = peer.receive_record();
  ASSERT_TRUE(pong) << to_string(pong.error());
  EXPECT_EQ(as_text(*pong), "#pong");
  ASSERT_TRUE(peer.send_bytes(bytes_of("050000002370696e67")));
  EXPECT_TRUE(peer.receive_record());
}

TEST_F(AgentCases, Case19_TheStartupOfTheTranscriptIsAcknowledged) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_record(bytes_of(startup_hex)));
  auto answer = agent.receive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack);
  EXPECT_TRUE(eventually([&] { return node().agent("007")["status"] == "pending"; }));
}

TEST_F(AgentCases, AKeepAliveMakesTheAgentActiveAndShowsItsAddress) {
  auto agent = active();
  auto answer = agent.keepalive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack);
  EXPECT_TRUE(eventually([&] { return node().agent("007")["status"] == "active"; }));
}

TEST_F(AgentCases, Case22_AHigherVersionWhereThatIsRefused) {
  node({{"enrollment.allow_higher_versions", "no"}});
  auto agent = connect();
  auto answer = agent.startup("v99.0.0");
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, "#!-err {\"message\":\"Agent version must be lower or equal to manager version\"}");
  EXPECT_EQ(node().agent("007")["status"], "never_connected");
  EXPECT_EQ(node().agent("007")["status_code"], 1);
}

TEST_F(AgentCases, Case23_AStartupWithoutVersion) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_message("#!-agent startup {}"));
  auto answer = agent.receive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, "#!-err {\"message\":\"Couldn't retrieve version\"}");
  ASSERT_TRUE(agent.send_message("#!-agent startup "));
  answer = agent.receive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack) << "the form without JSON";
}

TEST_F(AgentCases, Case24_TheEventOfTheTranscript) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_record(bytes_of(event_hex)));
  ASSERT_TRUE(arrives("Failed password for root"));
  auto event = archived("Failed password for root").front();
  EXPECT_EQ(event["agent"]["id"], "007");
  EXPECT_EQ(event["agent"]["name"], "web-01");
  EXPECT_EQ(event["location"], "/var/log/auth.log");
  EXPECT_EQ(event["full_log"],
            "Jan  1 00:00:00 web-01 sshd[4242]: Failed password for root from 192.0.2.10 port 50022 ssh2");
}

TEST_F(AgentCases, Case25_AFlippedBitClosesTheConnectionWithoutAnEvent) {
  for (bool bound : {false, true}) {
    auto agent = bound ? active() : connect();
    auto record = bytes_of(event_hex);
    record.back() ^= std::byte{1};
    ASSERT_TRUE(agent.send_record(record));
    EXPECT_TRUE(agent.wait_closed()) << "bound: " << bound;
  }
  auto agent = active();
  ASSERT_TRUE(agent.send_event("/var/log/x", "marker behind the damage"));
  ASSERT_TRUE(arrives("marker behind the damage"));
  EXPECT_TRUE(archived("Failed password").empty());
}

TEST_F(AgentCases, Case26_AnUnknownId) {
  auto who = harness::transcript_agent();
  who.id = "008";
  auto agent = connect(who);
  ASSERT_TRUE(agent.send_event("/var/log/x", "nobody"));
  EXPECT_TRUE(agent.wait_closed());
  EXPECT_TRUE(eventually([&] { return bad("unknown_agent") == 1; }));
}

TEST_F(AgentCases, Case27_AFrameThatIsTooLong) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_bytes(bytes_of("01000100")));
  EXPECT_TRUE(agent.wait_closed());
  auto empty = connect();
  ASSERT_TRUE(empty.send_bytes(bytes_of("00000000")));
  EXPECT_TRUE(empty.wait_closed());
  EXPECT_TRUE(eventually([&] { return bad("bad_frame") == 2; }));
}

TEST_F(AgentCases, Case28_AnotherAgentsKeyDoesNotDisturbTheBoundConnection) {
  auto bound = active();
  auto who = harness::transcript_agent();
  who.key = std::string(64, '1');
  auto forger = connect(who);
  EXPECT_FALSE(forger.startup());
  EXPECT_TRUE(forger.wait_closed());
  auto answer = bound.keepalive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack);
}

TEST_F(AgentCases, Case29_ASecondConnectionWithALowerPairIsRefused) {
  auto first = active();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(first.send_event("/var/log/x", "count up"));
  ASSERT_TRUE(arrives("count up", 5));
  auto second = connect();
  auto answer = second.startup();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(*answer, HasSubstr("#!-err {\"message\":\"Agent key already in use"));
  auto still = first.keepalive();
  ASSERT_TRUE(still) << to_string(still.error());
  EXPECT_EQ(*still, ack) << "the first is undisturbed";
}

TEST_F(AgentCases, Case29_ASecondConnectionWithAHigherPairTakesOverAndTheFirstIsReadToItsEnd) {
  auto first = active();
  ASSERT_TRUE(first.send_event("/var/log/x", "before"));
  ASSERT_TRUE(arrives("before"));
  auto second = connect();
  second.counters = {50, 1};
  auto answer = second.startup();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack);
  ASSERT_TRUE(second.send_event("/var/log/x", "from the new one"));
  ASSERT_TRUE(first.send_event("/var/log/x", "the rest of the old one"));
  EXPECT_TRUE(first.wait_closed()) << "the node writes no more";
  first.close();
  ASSERT_TRUE(arrives("from the new one"));
  ASSERT_TRUE(arrives("the rest of the old one"));
  auto events = node().archives();
  std::vector<std::string> order;
  for (auto& event : events)
    if (event["agent"]["id"] == "007") order.push_back(event["full_log"]);
  EXPECT_EQ(order, (std::vector<std::string>{"before", "the rest of the old one", "from the new one"}));
}

TEST_F(AgentCases, Case29_ASecondConnectionTakesOverAfterSilence) {
  node({{"agents.takeover_silence_s", "1"}});
  auto first = active();
  ASSERT_TRUE(first.send_event("/var/log/x", "count up"));
  ASSERT_TRUE(arrives("count up"));
  EXPECT_TRUE(eventually([&] {
    auto second = connect(); // its pair is lower: only the silence of the first lets it in
    auto answer = second.startup();
    return answer && *answer == ack;
  }));
}

TEST_F(AgentCases, Case31_AShutdownIsNotAnsweredAndBecomesAnAlert) {
  auto agent = active();
  ASSERT_TRUE(agent.keepalive());
  ASSERT_TRUE(agent.send_message("#!-agent shutdown "));
  EXPECT_TRUE(eventually([&] { return node().agent("007")["status"] == "disconnected"; }));
  EXPECT_EQ(node().agent("007")["status_code"], 3);
  EXPECT_TRUE(eventually([&] {
    for (auto& alert : node().alerts())
      if (alert["full_log"] == "ossec: Agent stopped: 'web-01->any'.")
        return alert["agent"]["id"] == "007" && alert["location"] == "wazuh-remoted";
    return false;
  }));
}

TEST_F(AgentCases, Case31_AShutdownCountsAlsoIfTheConnectionEndsAtOnce) {
  // Without a pause between reads the end of the connection is seen before the record has been opened.
  node({{"ingest.read_interval_ms", "0"}});
  for (int round = 1; round <= 20; ++round) {
    {
      auto agent = active();
      ASSERT_TRUE(agent.send_message("#!-agent shutdown "));
      agent.close();
    }
    ASSERT_TRUE(eventually([&] { return node().agent("007")["status"] == "disconnected"; }))
        << "round " << round;
    ASSERT_TRUE(eventually([&] { return node().metric("picket_sessions") == 0; })) << "round " << round;
  }
}

TEST_F(AgentCases, Case33_AWindowsPathAsLocation) {
  auto agent = active();
  ASSERT_TRUE(agent.send_message("1:C|:\\logs\\a.log:x:y"));
  ASSERT_TRUE(arrives("x:y"));
  EXPECT_EQ(archived("x:y").front()["location"], "C:\\logs\\a.log");
}

TEST_F(AgentCases, Case34_AnUnknownQueueIsTreatedLikeALogFile) {
  auto agent = active();
  ASSERT_TRUE(agent.send_event("/var/log/x", "from queue x", 'x'));
  EXPECT_TRUE(arrives("from queue x"));
  EXPECT_TRUE(agent.keepalive()) << "the connection is open";
}

/// A record whose zlib stream inflates to `bytes`.
byte_buffer bomb(const agentsim::agent_identity& who, std::size_t bytes) {
  std::string plain(bytes, 'a');
  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(plain.data()),
            plain.size(), 9);
  packed.resize(size);
  packed.insert(0, 8 - packed.size() % 8, '!');
  auto key = protocol::derive_record_key(who.id, who.name, who.key);
  std::vector<unsigned char> sealed(packed.size() + 32);
  int first = 0;
  int last = 0;
  auto* context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_aes_256_cbc(), nullptr, reinterpret_cast<const unsigned char*>(key.data()),
                     reinterpret_cast<const unsigned char*>("FEDCBA0987654321"));
  EVP_EncryptUpdate(context, sealed.data(), &first, reinterpret_cast<const unsigned char*>(packed.data()),
                    static_cast<int>(packed.size()));
  EVP_EncryptFinal_ex(context, sealed.data() + first, &last);
  EVP_CIPHER_CTX_free(context);
  std::string record =
      "!" + who.id + "!#AES:"
      + std::string{reinterpret_cast<char*>(sealed.data()), static_cast<std::size_t>(first + last)};
  auto view = as_bytes(record);
  return {view.begin(), view.end()};
}

TEST_F(AgentCases, Case35_ARecordThatInflatesToTenMegabytes) {
  for (bool bound : {false, true}) {
    auto agent = bound ? active() : connect();
    ASSERT_TRUE(agent.send_record(bomb(agent.who(), 10'000'000)));
    EXPECT_TRUE(agent.wait_closed()) << "bound: " << bound;
  }
  EXPECT_TRUE(eventually([&] { return bad("too_large") == 2; }));
}

TEST_F(AgentCases, Case36_SingleBytesAndTenFramesInOneSegment) {
  auto agent = connect();
  byte_buffer frames;
  protocol::append_frame(frames, bytes_of(startup_hex));
  for (auto one : frames)
    ASSERT_TRUE(agent.send_bytes(byte_view{&one, 1}));
  auto answer = agent.receive();
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_EQ(*answer, ack);
  agent.counters = {0, 100};
  frames.clear();
  for (int i = 0; i < 10; ++i)
    protocol::append_frame(frames, agent.seal("1:/var/log/x:frame " + std::to_string(i)));
  ASSERT_TRUE(agent.send_bytes(frames));
  EXPECT_TRUE(arrives("frame ", 10));
}

TEST_F(AgentCases, Case39_CountersGrowOverARestart) {
  auto pair_of_ack = [&] {
    auto agent = connect();
    EXPECT_TRUE(agent.send_message("#!-agent startup {\"version\":\"v4.14.7\"}"));
    auto record = agent.receive_record();
    EXPECT_TRUE(record);
    auto who = agent.who();
    protocol::record_opener opener{protocol::derive_record_key(who.id, who.name, who.key)};
    protocol::open_scratch scratch;
    auto head = protocol::parse_record_head(*record);
    auto opened = opener.open(head->cipher, head->ciphertext, scratch);
    EXPECT_TRUE(opened);
    return opened->counters;
  };
  auto before = pair_of_ack();
  EXPECT_EQ(node().stop(), 0);
  ASSERT_TRUE(node().start());
  EXPECT_GT(pair_of_ack(), before);
}

TEST_F(AgentCases, Case40_ARemovedAgentIsClosedAndRefused) {
  auto agent = active();
  auto removed = node().api("DELETE", "/agents?agents_list=007&status=all&older_than=0s");
  ASSERT_TRUE(removed);
  EXPECT_TRUE(agent.wait_closed());
  auto again = connect();
  ASSERT_TRUE(again.send_event("/var/log/x", "gone"));
  EXPECT_TRUE(again.wait_closed());
}

TEST_F(AgentCases, Case41_ARepeatedRecordIsTwoEventsByDefault) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_record(bytes_of(event_hex)));
  ASSERT_TRUE(agent.send_record(bytes_of(event_hex)));
  EXPECT_TRUE(arrives("Failed password for root", 2));
}

TEST_F(AgentCases, Case41_WithReceiveCheckingARepeatedRecordClosesTheConnection) {
  node({{"agents.check_counters", "yes"}});
  auto agent = active();
  auto record = agent.seal("1:/var/log/x:only once");
  ASSERT_TRUE(agent.send_record(record));
  ASSERT_TRUE(arrives("only once"));
  ASSERT_TRUE(agent.send_record(record));
  EXPECT_TRUE(agent.wait_closed());
  EXPECT_EQ(archived("only once").size(), 1u);
  EXPECT_TRUE(eventually([&] { return bad("repeated") == 1; }));
}

TEST_F(AgentCases, Case42_AnAgentIsKnownByItsAddress) {
  agentsim::agent_identity who{"010", "by-address", "127.1.2.3", std::string(64, 'c')};
  harness::seed_agent(dir.path(), who);
  auto agent = connect(who, "127.1.2.3");
  agent.sends_id = false;
  ASSERT_TRUE(agent.send_event("/var/log/x", "known by address"));
  EXPECT_TRUE(arrives("known by address"));
  EXPECT_EQ(archived("known by address").front()["agent"]["id"], "010");
  auto stranger = connect(who, "127.1.2.4");
  stranger.sends_id = false;
  ASSERT_TRUE(stranger.send_event("/var/log/x", "from elsewhere"));
  EXPECT_TRUE(stranger.wait_closed());
}

TEST_F(AgentCases, Case43_AnAgentOfARangeMustComeFromInside) {
  agentsim::agent_identity who{"011", "by-range", "127.1.2.0/24", std::string(64, 'd')};
  harness::seed_agent(dir.path(), who);
  auto agent = connect(who, "127.1.2.9");
  ASSERT_TRUE(agent.send_event("/var/log/x", "inside"));
  EXPECT_TRUE(arrives("inside"));
  auto stranger = connect(who, "127.1.3.9");
  ASSERT_TRUE(stranger.send_event("/var/log/x", "outside"));
  EXPECT_TRUE(stranger.wait_closed());
}

TEST_F(AgentCases, AnUnconfirmedAgentIsConfirmedByItsFirstRecord) {
  agentsim::tls_client_context tls;
  auto answer = agentsim::exchange_line(tls, node().enrollment(), "OSSEC A:'fresh'\n", 10'000);
  ASSERT_TRUE(answer);
  auto who = agentsim::identity_of(*answer);
  ASSERT_TRUE(who) << who.error();
  auto agent = active(*who);
  EXPECT_TRUE(eventually([&] {
    auto again = agentsim::exchange_line(tls, node().enrollment(), "OSSEC A:'fresh'\n", 10'000);
    return again && *again == "ERROR: Duplicate agent name: fresh. Unable to add agent";
  })) << "confirmed: a repeat is refused";
}

TEST_F(AgentCases, AHalfOpenAndASlowConnectionAreEnded) {
  node({{"ingest.handshake_timeout_ms", "300"}, {"ingest.frame_timeout_ms", "300"}});
  auto silent = connect();
  EXPECT_TRUE(silent.wait_closed()) << "nothing was sent";
  auto agent = active();
  ASSERT_TRUE(agent.send_bytes(bytes_of("ff0000")));
  EXPECT_TRUE(agent.wait_closed()) << "a frame was begun and not ended";
  EXPECT_TRUE(eventually(
      [&] { return node().metric("picket_ingest_closed_connections_total{reason=\"deadline\"}") == 2; }));
}

/// A few of a hundred reconnects begin so. (agent-behaviour T4)
TEST_F(AgentCases, AnEventBeforeTheStartupOfItsConnectionCounts) {
  auto agent = connect();
  ASSERT_TRUE(agent.send_event("/var/log/x", "an early bird"));
  ASSERT_TRUE(arrives("an early bird"));
  ASSERT_TRUE(agent.startup());
  ASSERT_TRUE(agent.send_event("/var/log/x", "and a later one"));
  EXPECT_TRUE(arrives("and a later one"));
}

TEST_F(AgentCases, GarbageOfOneConnectionDoesNotDisturbAnother) {
  auto agent = active();
  for (const char* junk :
       {"0400000021303037", "0100000021", "0600000021303037217a", "0a00000021303037212341455358",
        "0b0000002130303721234145533a00", "ffffffff", "05000000474554202f"}) {
    auto peer = connect();
    ASSERT_TRUE(peer.send_bytes(bytes_of(junk)));
    EXPECT_TRUE(peer.wait_closed()) << junk;
  }
  ASSERT_TRUE(agent.send_event("/var/log/x", "undisturbed"));
  EXPECT_TRUE(arrives("undisturbed"));
  EXPECT_TRUE(node().has_logged("event=record-refused"));
}

} // namespace
} // namespace picket
