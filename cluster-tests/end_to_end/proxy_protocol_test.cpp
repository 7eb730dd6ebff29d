// Both ports of a real node behind a balancer that sends the PROXY protocol. The test is the balancer: it
// comes from 127.0.0.1, which the node trusts, and names the clients.

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/proxy_header.hpp"
#include "cluster-tests/harness/seed.hpp"

namespace picket {
namespace {

using namespace std::string_literals;
using agentsim::agent_identity;
using agentsim::blocking_agent;
using harness::eventually;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string ack = "#!-agent ack ";
const std::string ping = "\5\0\0\0#ping"s;
const std::string failed_login =
    "Nov 24 08:00:31 web-01 sshd[701]: Failed password for root from 192.0.2.10 port 50022 ssh2";

agent_identity any_agent() { return harness::transcript_agent(); }
agent_identity exact_agent() { return {"010", "exact-01", "198.51.100.7", std::string(64, '1')}; }
agent_identity ranged_agent() { return {"011", "ranged-01", "198.51.100.0/24", std::string(64, '2')}; }
agent_identity v6_agent() {
  return {"012", "six-01", "2001:0DB8:0000:0000:0000:0000:0000:0007", std::string(64, '3')};
}

class ProxyProtocol : public ::testing::Test {
protected:
  harness::node_process& node(harness::settings with = {}) {
    if (node_) return *node_;
    for (const auto& who : {any_agent(), exact_agent(), ranged_agent(), v6_agent()})
      harness::seed_agent(dir.path(), who);
    with.merge(harness::settings{{"ingest.proxy_protocol_from", "127.0.0.1"},
                                 {"enrollment.proxy_protocol_from", "192.0.2.1, 127.0.0.1"}});
    node_ = std::make_unique<harness::node_process>(dir.path(), std::move(with));
    auto started = node_->start();
    EXPECT_TRUE(started) << (started ? "" : to_string(started.error()));
    return *node_;
  }

  /// A connection to the agent port that begins with these bytes.
  blocking_agent connect(const std::string& begin, const agent_identity& who = any_agent(),
                         const char* from = "127.0.0.1") {
    blocking_agent agent{who};
    auto source = agentsim::source_address(from, 0).value();
    auto connected = agent.connect(node().agents(), &source);
    EXPECT_TRUE(connected) << (connected ? "" : to_string(connected.error()));
    EXPECT_TRUE(agent.send_bytes(as_bytes(begin)));
    return agent;
  }

  /// "ack", or what came instead.
  static std::string startup(blocking_agent& agent) {
    auto answer = agent.startup();
    if (!answer) return "(" + to_string(answer.error()) + ")";
    return *answer == ack ? "ack" : *answer;
  }

  std::string enroll(const std::string& preamble, const std::string& line, const char* from = "127.0.0.1") {
    agentsim::tls_client_context tls;
    auto source = agentsim::source_address(from, 0).value();
    auto answer = agentsim::exchange_line(tls, node().enrollment(), line + "\n", 10'000, &source, preamble);
    return answer ? *answer : "(" + to_string(answer.error()) + ")";
  }

  double refused(const char* port, const char* reason) {
    return node().metric("picket_"s + port + "_refused_connections_total{reason=\"" + reason + "\"}");
  }
  double bad(const char* reason) {
    return node().metric("picket_ingest_bad_records_total{reason=\""s + reason + "\"}");
  }

  testing::scratch_directory dir;
  std::unique_ptr<harness::node_process> node_;
};

struct spelling {
  const char* name;
  std::string (*header)(const std::string&);
};

class ProxyVersions : public ProxyProtocol, public ::testing::WithParamInterface<spelling> {
protected:
  static std::string header(const std::string& client) { return GetParam().header(client); }
};

INSTANTIATE_TEST_SUITE_P(, ProxyVersions,
                         ::testing::Values(spelling{"V1", harness::proxy_v1},
                                           spelling{"V2", harness::proxy_v2}),
                         [](const auto& one) { return one.param.name; });

TEST_P(ProxyVersions, AnAgentsRegisteredAddressIsComparedWithTheClients) {
  for (const auto& who : {any_agent(), exact_agent(), ranged_agent()}) {
    auto agent = connect(header("198.51.100.7"), who);
    EXPECT_EQ(startup(agent), "ack") << who.address;
  }
  auto six = connect(header("2001:db8::7"), v6_agent());
  EXPECT_EQ(startup(six), "ack");
  auto unnamed = exact_agent();
  auto known_by_address = connect(header("198.51.100.7"), unnamed);
  known_by_address.sends_id = false;
  known_by_address.counters = {100, 1}; // newer than the connection from before
  EXPECT_EQ(startup(known_by_address), "ack");
  EXPECT_EQ(bad("unknown_agent"), 0);
  for (const auto& who : {exact_agent(), ranged_agent()}) {
    auto elsewhere = connect(header("203.0.113.9"), who);
    EXPECT_FALSE(elsewhere.startup()) << who.address;
    EXPECT_TRUE(elsewhere.wait_closed());
  }
  EXPECT_TRUE(eventually([&] { return bad("unknown_agent") == 2; }));
  EXPECT_TRUE(node().has_logged("peer=203.0.113.9:40000")) << "the log names the client";
  auto moved = connect(header("203.0.113.9"));
  moved.counters = {100, 1};
  EXPECT_EQ(startup(moved), "ack") << "any is any";
}

TEST_P(ProxyVersions, AlertsAndTheListOfAgentsShowTheClient) {
  auto agent = connect(header("198.51.100.7"), exact_agent());
  ASSERT_EQ(startup(agent), "ack");
  ASSERT_TRUE(agent.send_event("/var/log/auth.log", failed_login));
  nlohmann::json alert;
  ASSERT_TRUE(eventually([&] {
    for (auto& one : node().alerts())
      if (one.value("full_log", "") == failed_login) alert = one;
    return !alert.is_null();
  }));
  EXPECT_EQ(alert["agent"]["ip"], "198.51.100.7");
  auto seen = node().agent("010");
  EXPECT_EQ(seen["connection"]["address"], "198.51.100.7") << seen;
}

TEST_P(ProxyVersions, EnrollmentRegistersTheClientsAddress) {
  auto first = enroll(header("198.51.100.20"), "OSSEC A:'fresh' IP:'src'");
  ASSERT_THAT(first, HasSubstr(" fresh 198.51.100.20 "));
  EXPECT_EQ(enroll(header("198.51.100.20"), "OSSEC A:'fresh' IP:'src'"), first)
      << "a repeat of the same host";
  EXPECT_THAT(enroll(header("203.0.113.9"), "OSSEC A:'fresh' IP:'src'"), HasSubstr("Duplicate agent name"))
      << "another host behind the same balancer gets nobody's key";
  EXPECT_THAT(enroll(header("2001:db8::9"), "OSSEC A:'six' IP:'src'"),
              HasSubstr(" six 2001:0DB8:0000:0000:0000:0000:0000:0009 "));
  auto who = agentsim::identity_of(first);
  ASSERT_TRUE(who);
  auto agent = connect(header("198.51.100.20"), *who);
  EXPECT_EQ(startup(agent), "ack") << "and with it the agent is known on the other port";
}

TEST_F(ProxyProtocol, AHeaderFromAnyOtherAddressIsGarbage) {
  for (const auto& header : {harness::proxy_v1("198.51.100.7"), harness::proxy_v2("198.51.100.7")}) {
    auto agent = connect(header, exact_agent(), "127.0.0.2");
    static_cast<void>(agent.startup()); // the connection may be gone already
    EXPECT_TRUE(agent.wait_closed());
    EXPECT_THAT(enroll(header, "OSSEC A:'fresh' IP:'src'", "127.0.0.2"), StartsWith("("));
  }
  EXPECT_TRUE(eventually([&] { return bad("bad_frame") == 2; }));
  EXPECT_EQ(refused("ingest", "bad_proxy_header"), 0);
  EXPECT_EQ(node().agent("010")["status"], "never_connected");
  auto direct = connect({}, any_agent(), "127.0.0.2");
  EXPECT_EQ(startup(direct), "ack") << "without one it is an agent like any other";
  EXPECT_THAT(enroll({}, "OSSEC A:'fresh' IP:'src'", "127.0.0.2"), HasSubstr(" fresh 127.0.0.2 "));
}

TEST_F(ProxyProtocol, ABalancersConnectionWithoutAHeaderIsClosedInTime) {
  node({{"ingest.proxy_header_timeout_ms", "400"}, {"enrollment.proxy_header_timeout_ms", "400"}});
  auto began = std::chrono::steady_clock::now();
  auto silent = connect({});
  auto half = connect("PROXY TCP4 198.51.");
  auto at_enrollment = agentsim::begin_connect(node().enrollment());
  ASSERT_TRUE(at_enrollment);
  blocking_agent tls_silent{any_agent()};
  tls_silent.use(std::move(*at_enrollment));
  EXPECT_TRUE(silent.wait_closed());
  EXPECT_TRUE(half.wait_closed());
  EXPECT_TRUE(tls_silent.wait_closed());
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{390})
      << "not before its time";
  EXPECT_TRUE(eventually([&] {
    return refused("ingest", "no_proxy_header") == 2 && refused("enrollment", "no_proxy_header") == 1;
  }));
  EXPECT_TRUE(node().has_logged("event=connections-refused"));
  EXPECT_TRUE(node().has_logged("reason=no_proxy_header"));
}

TEST_F(ProxyProtocol, ABalancersConnectionThatBeginsOtherwiseIsClosedAtOnce) {
  auto agent = connect({}, exact_agent());
  static_cast<void>(agent.startup());
  EXPECT_TRUE(agent.wait_closed());
  auto pinging = connect(ping);
  EXPECT_TRUE(pinging.wait_closed());
  EXPECT_THAT(enroll({}, "OSSEC A:'fresh'"), StartsWith("("));
  EXPECT_TRUE(eventually([&] {
    return refused("ingest", "bad_proxy_header") == 2 && refused("enrollment", "bad_proxy_header") == 1;
  }));
}

TEST_F(ProxyProtocol, ChecksOfTheBalancerAreAnsweredAndCountForNoAddress) {
  node({{"ingest.max_connections_per_address", "1"}, {"ingest.new_connections_per_address_per_s", "1"}});
  std::vector<blocking_agent> open;
  for (int i = 0; i < 15; ++i) {
    open.push_back(connect((i % 2 == 0 ? harness::proxy_v2_local() : harness::proxy_v1_unknown()) + ping));
    auto pong = open.back().receive_record();
    ASSERT_TRUE(pong) << to_string(pong.error());
    EXPECT_EQ(as_text(*pong), "#pong");
  }
  EXPECT_EQ(refused("ingest", "address") + refused("ingest", "rate"), 0);
  auto agent = connect(harness::proxy_v2_local());
  EXPECT_EQ(startup(agent), "ack") << "a client without an address";
  EXPECT_EQ(node().agent("007")["connection"]["address"], "127.0.0.1");
}

TEST_F(ProxyProtocol, LimitsOfAddressesCountTheClients) {
  node({{"ingest.max_connections_per_address", "2"}, {"enrollment.exchanges_per_address_per_minute", "2"}});
  std::vector<blocking_agent> open;
  for (const auto* client : {"198.51.100.7", "198.51.100.8", "198.51.100.9"})
    for (int i = 0; i < 2; ++i) {
      open.push_back(connect(harness::proxy_v2(client) + ping));
      EXPECT_TRUE(open.back().receive_record()) << client;
    }
  auto third = connect(harness::proxy_v1("198.51.100.8") + ping);
  EXPECT_TRUE(third.wait_closed());
  EXPECT_TRUE(eventually([&] { return refused("ingest", "address") == 1; }));
  EXPECT_TRUE(node().has_logged("last_from=198.51.100.8"));
  open.clear();
  EXPECT_TRUE(eventually([&] {
    auto again = connect(harness::proxy_v1("198.51.100.8") + ping);
    return again.receive_record().has_value();
  })) << "a place that is free again";
  for (const auto* client : {"198.51.100.7", "198.51.100.8"})
    for (int i = 0; i < 2; ++i)
      EXPECT_THAT(enroll(harness::proxy_v2(client), "OSSEC A:'n"s + client[11] + std::to_string(i) + "'"),
                  StartsWith("OSSEC K:'"));
  EXPECT_THAT(enroll(harness::proxy_v2("198.51.100.7"), "OSSEC A:'more'"), StartsWith("("));
  EXPECT_TRUE(eventually([&] { return refused("enrollment", "rate") == 1; }));
}

TEST_F(ProxyProtocol, ABadNeighbourBehindTheSameBalancerIsShutOutAlone) {
  node({{"ingest.bad_records_per_minute", "3"},
        {"ingest.bad_records_penalty_s", "600"},
        {"ingest.max_unverified_per_address", "2"}});
  auto attack = [&] {
    auto bad_one = connect(harness::proxy_v1("203.0.113.66") + "\xff\xff\xff\xff"s);
    return bad_one.wait_closed();
  };
  EXPECT_TRUE(eventually([&] { return attack() && refused("ingest", "penalty") >= 1; }));
  auto agent = connect(harness::proxy_v1("198.51.100.7"), exact_agent());
  EXPECT_EQ(startup(agent), "ack");
  // Those that sit there without an agent displace each other, not those of other clients.
  auto waiting = connect(harness::proxy_v1("198.51.100.8"));
  std::vector<blocking_agent> sitting;
  for (int i = 0; i < 5; ++i)
    sitting.push_back(connect(harness::proxy_v1("203.0.113.67") + ping));
  EXPECT_TRUE(sitting.front().wait_closed());
  EXPECT_TRUE(eventually([&] { return refused("ingest", "unverified") == 3; }));
  EXPECT_EQ(startup(waiting), "ack");
}

TEST_F(ProxyProtocol, AListThatIsNoneKeepsTheNodeFromStarting) {
  harness::node_process wrong{dir.path(), {{"ingest.proxy_protocol_from", "10.0.0.1/8"}}};
  EXPECT_EQ(wrong.start_and_fail(), 3);
  EXPECT_THAT(wrong.log(), HasSubstr("ingest.proxy_protocol_from: not a list of addresses"));
}

} // namespace
} // namespace picket
