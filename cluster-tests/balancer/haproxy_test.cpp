// HAProxy with the configurations of docs/load-balancer.md in front of two nodes.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/balancer/balancer_process.hpp"
#include "cluster-tests/balancer/page.hpp"
#include "cluster-tests/balancer/two_nodes.hpp"

namespace picket::balancer {
namespace {

using harness::eventually;
using std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

double seconds_since(steady_clock::time_point began) {
  return std::chrono::duration<double>(steady_clock::now() - began).count();
}

class HaproxyPage : public ::testing::TestWithParam<std::size_t> {
protected:
  static constexpr std::size_t agents = 8;
  static constexpr double out_within_s = 3.0; ///< what the page promises

  void SetUp() override {
    auto program = find_program("haproxy");
    if (program.empty()) GTEST_SKIP() << "haproxy is not installed (scripts/bootstrap)";
    auto block = page_blocks("haproxy").at(GetParam());
    named = block.find("send-proxy-v2") != std::string::npos;
    nodes = std::make_unique<two_nodes>(dir.path(), named, agents);
    auto started = nodes->start();
    ASSERT_TRUE(started) << to_string(started.error());
    auto file = dir.path() / "haproxy.cfg";
    std::ofstream{file} << "global\n  stats socket " << control.string() << " mode 600 level admin\n\n"
                        << nodes->fitted(block, "bind :");
    haproxy = std::make_unique<balancer_process>(
        std::vector<std::string>{program, "-db", "-f", file.string()}, dir.path() / "haproxy.log");
    ASSERT_TRUE(haproxy->serves(nodes->balanced_agents())) << haproxy->log();
    EXPECT_EQ(haproxy->log(), "") << "it finds nothing to say about the configuration";
    for (const auto* server : {"n1", "n2"})
      ASSERT_TRUE(eventually([&] {
        return stat("agents", server, "check_status") == "L7OK"
               && stat("agents", server, "agent_status") == "CHECKED";
      })) << server
          << "\n"
          << haproxy_says(control, "show stat");
  }

  void TearDown() override {
    if (HasFailure() && haproxy) std::fprintf(stderr, "%s\n", haproxy->log().c_str());
  }

  /// A column of HAProxy's own table.
  std::string stat(const std::string& proxy, const std::string& server, const std::string& column) const {
    auto cells = [](const std::string& line) {
      std::vector<std::string> all;
      std::istringstream in{line};
      for (std::string cell; std::getline(in, cell, ',');)
        all.push_back(cell);
      return all;
    };
    std::istringstream table{haproxy_says(control, "show stat")};
    std::string line;
    std::getline(table, line);
    auto head = cells(line);
    auto at = static_cast<std::size_t>(std::find(head.begin(), head.end(), column) - head.begin());
    while (std::getline(table, line)) {
      auto row = cells(line);
      if (row.size() > at && row[0] == proxy && row[1] == server) return row[at];
    }
    return {};
  }

  bool becomes(const std::string& server, const std::string& status) {
    return eventually([&] {
      return stat("agents", server, "status").rfind(status, 0) == 0
             && stat("enrollment", server, "status").rfind(status, 0) == 0;
    });
  }

  /// From a host that is no agent yet. `rest` of the request: its address, for instance.
  std::string enroll(const std::string& name, const std::string& rest = {}) const {
    agentsim::tls_client_context tls;
    auto source = agentsim::source_address("127.0.9.77", 0).value();
    auto answer = agentsim::exchange_line(tls, nodes->balanced_enrollment(),
                                          "OSSEC A:'" + name + "'" + rest + "\n", 10'000, &source);
    return answer ? *answer : "(" + to_string(answer.error()) + ")";
  }

  /// Clients of a node that was just taken away: how long until all were cut off, and until all were
  /// acknowledged again by the other node.
  std::pair<double, double> move(const std::vector<client*>& away, steady_clock::time_point began) {
    for (auto* one : away)
      EXPECT_TRUE(one->agent->wait_closed()) << one->address;
    auto left_s = seconds_since(began);
    for (auto* one : away)
      EXPECT_TRUE(eventually([&] { return nodes->connect(*one).empty(); })) << one->address;
    auto again_s = seconds_since(began);
    std::printf(
        "[ MEASURED ] %zu agents cut off after %.2f s, all acknowledged by the other node after %.2f s\n",
        away.size(), left_s, again_s);
    return {left_s, again_s};
  }

  testing::scratch_directory dir;
  std::filesystem::path control = dir.path() / "control";
  bool named = false;
  std::unique_ptr<two_nodes> nodes;
  std::unique_ptr<balancer_process> haproxy;
};

INSTANTIATE_TEST_SUITE_P(, HaproxyPage, ::testing::Values(0, 1), [](const auto& one) {
  return page_blocks("haproxy").at(one.param).find("send-proxy-v2") != std::string::npos ? "ProxyProtocol"
                                                                                         : "Plain";
});

TEST_P(HaproxyPage, AgentsEnrollConnectAndDeliverThroughIt) {
  nodes->connect_all();
  EXPECT_EQ(nodes->on(0).size(), agents / 2) << "leastconn";
  EXPECT_EQ(nodes->on(1).size(), agents / 2);
  for (auto& one : nodes->clients()) {
    auto node = nodes->node_of(one);
    EXPECT_TRUE(nodes->delivers(one, node, "hello from " + one.address));
    EXPECT_EQ((*nodes)[node].agent(one.agent->who().id)["connection"]["address"],
              named ? one.address : "127.0.0.1");
  }
  EXPECT_THAT(enroll("fresh", " IP:'src'"), HasSubstr(named ? " fresh 127.0.9.77 " : " fresh 127.0.0.1 "));
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_GT((*nodes)[i].metric("picket_ingest_pings_total"), 0);
    EXPECT_FALSE((*nodes)[i].has_logged("event=connections-refused")) << (*nodes)[i].log();
    EXPECT_FALSE((*nodes)[i].has_logged("event=record-refused"));
  }
}

TEST_P(HaproxyPage, AFrozenNodeIsLeftByItsAgents) {
  nodes->connect_all();
  auto away = nodes->on(0);
  auto stay = nodes->on(1);
  ASSERT_EQ(away.size(), agents / 2);
  auto began = steady_clock::now();
  (*nodes)[0].freeze();
  auto [left_s, again_s] = move(away, began);
  EXPECT_LE(left_s, out_within_s);
  EXPECT_LE(again_s, out_within_s + 1);
  EXPECT_TRUE(becomes("n1", "DOWN"));
  for (auto* one : away)
    EXPECT_TRUE(nodes->delivers(*one, 1, "moved, from " + one->address));
  for (auto* one : stay)
    EXPECT_TRUE(nodes->delivers(*one, 1, "stayed, from " + one->address)) << "undisturbed";
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(enroll("fresh-" + std::to_string(i)), StartsWith("OSSEC K:'"))
        << "enrollment follows the check";
  (*nodes)[0].thaw();
  EXPECT_TRUE(becomes("n1", "UP")) << "and it is taken again";
}

TEST_P(HaproxyPage, AKilledNodeIsLeftAtOnce) {
  nodes->connect_all();
  auto away = nodes->on(1);
  ASSERT_EQ(away.size(), agents / 2);
  auto began = steady_clock::now();
  (*nodes)[1].kill();
  auto [left_s, again_s] = move(away, began);
  EXPECT_LE(left_s, 1.0);
  EXPECT_LE(again_s, out_within_s);
  for (auto* one : away)
    EXPECT_TRUE(nodes->delivers(*one, 0, "moved, from " + one->address));
  ASSERT_TRUE((*nodes)[1].start());
  EXPECT_TRUE(becomes("n2", "UP"));
}

TEST_P(HaproxyPage, ADrainedNodeGetsNoNewConnectionsAndKeepsThoseThatItHas) {
  auto& all = nodes->clients();
  for (std::size_t i = 0; i < 4; ++i)
    ASSERT_EQ(nodes->connect(all[i]), "");
  auto stay = nodes->on(0);
  ASSERT_EQ(stay.size(), 2u);
  EXPECT_EQ("$ picketctl node drain\n" + nodes->picketctl(0, "node drain"), page_blocks("").at(0));
  ASSERT_TRUE(becomes("n1", "DRAIN"));
  for (std::size_t i = 4; i < agents; ++i) {
    ASSERT_EQ(nodes->connect(all[i]), "");
    EXPECT_EQ(nodes->node_of(all[i]), 1u) << "although the other one has fewer";
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(enroll("fresh-" + std::to_string(i)), StartsWith("OSSEC K:'"));
  EXPECT_EQ((*nodes)[0].metric("picket_enrollment_requests_total{outcome=\"accepted\"}"), 0);
  for (auto* one : stay)
    EXPECT_TRUE(nodes->delivers(*one, 0, "still here, from " + one->address));
  nodes->picketctl(0, "node undrain");
  ASSERT_TRUE(becomes("n1", "UP"));
  auto& back = all[agents - 1];
  back.agent->close();
  ASSERT_EQ(nodes->connect(back), "");
  EXPECT_EQ(nodes->node_of(back), 0u) << "it has the fewest";
}

/// The page says so, and what to do about it.
TEST_P(HaproxyPage, TheNodesWordEndsWhatHaproxyWasToldUnlessItIsNotAsked) {
  auto pings = [this] { return (*nodes)[0].metric("picket_ingest_pings_total"); };
  haproxy_says(control, "disable agent agents/n1");
  haproxy_says(control, "set server agents/n1 state drain");
  ASSERT_TRUE(becomes("n1", "DRAIN"));
  auto before = pings();
  ASSERT_TRUE(eventually([&] { return pings() >= before + 6; }))
      << "three seconds in which it might be asked";
  EXPECT_THAT(stat("agents", "n1", "status"), StartsWith("DRAIN"));
  haproxy_says(control, "enable agent agents/n1");
  EXPECT_TRUE(becomes("n1", "UP"));
}

} // namespace
} // namespace picket::balancer
