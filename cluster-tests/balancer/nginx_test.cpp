// nginx with the configuration of docs/load-balancer.md in front of two nodes.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/balancer/balancer_process.hpp"
#include "cluster-tests/balancer/page.hpp"
#include "cluster-tests/balancer/two_nodes.hpp"

namespace picket::balancer {
namespace {

using harness::eventually;
using ::testing::HasSubstr;

constexpr const char* stream_module = "/usr/lib/nginx/modules/ngx_stream_module.so";

class NginxPage : public ::testing::Test {
protected:
  static constexpr std::size_t agents = 6;

  void SetUp() override {
    program = find_program("nginx");
    if (program.empty() || ::access(stream_module, R_OK) != 0)
      GTEST_SKIP() << "nginx and its stream module are not installed (scripts/bootstrap)";
    nodes = std::make_unique<two_nodes>(dir.path(), true, agents);
    auto started = nodes->start();
    ASSERT_TRUE(started) << to_string(started.error());
    configuration = nodes->fitted(page_blocks("nginx").at(0), "listen ");
    write(configuration);
    nginx = std::make_unique<balancer_process>(
        std::vector<std::string>{program, "-c", file.string(), "-p", dir.path().string(), "-e", "stderr"},
        dir.path() / "nginx.log");
    ASSERT_TRUE(nginx->serves(nodes->balanced_agents())) << nginx->log();
  }

  /// What a machine's own nginx.conf has around the page's block.
  void write(const std::string& block) const {
    std::ofstream{file} << "load_module " << stream_module << ";\n"
                        << "daemon off;\npid " << (dir.path() / "nginx.pid").string() << ";\n"
                        << "error_log stderr notice;\nevents {}\n"
                        << block;
  }

  testing::scratch_directory dir;
  std::filesystem::path file = dir.path() / "nginx.conf";
  std::string program;
  std::string configuration;
  std::unique_ptr<two_nodes> nodes;
  std::unique_ptr<balancer_process> nginx;
};

TEST_F(NginxPage, AgentsEnrollConnectAndDeliverThroughIt) {
  nodes->connect_all();
  EXPECT_EQ(nodes->on(0).size(), agents / 2) << "least_conn";
  for (auto& one : nodes->clients()) {
    auto node = nodes->node_of(one);
    EXPECT_TRUE(nodes->delivers(one, node, "hello from " + one.address));
    EXPECT_EQ((*nodes)[node].agent(one.agent->who().id)["connection"]["address"], one.address);
  }
  agentsim::tls_client_context tls;
  auto source = agentsim::source_address("127.0.9.77", 0).value();
  auto answer = agentsim::exchange_line(tls, nodes->balanced_enrollment(), "OSSEC A:'fresh' IP:'src'\n",
                                        10'000, &source);
  ASSERT_TRUE(answer) << to_string(answer.error());
  EXPECT_THAT(*answer, HasSubstr(" fresh 127.0.9.77 "));
}

TEST_F(NginxPage, AKilledNodeIsLeftAtOnce) {
  nodes->connect_all();
  auto away = nodes->on(0);
  ASSERT_FALSE(away.empty());
  auto began = std::chrono::steady_clock::now();
  (*nodes)[0].kill();
  for (auto* one : away)
    EXPECT_TRUE(one->agent->wait_closed());
  for (auto* one : away)
    EXPECT_TRUE(eventually([&] { return nodes->connect(*one).empty(); }));
  auto again_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  std::printf("[ MEASURED ] %zu agents of a killed node acknowledged by the other one after %.2f s\n",
              away.size(), again_s);
  EXPECT_LE(again_s, 3.0);
  for (auto* one : away)
    EXPECT_TRUE(nodes->delivers(*one, 1, "moved, from " + one->address));
}

/// The page warns of it. If this fails, nginx has learnt to check, and the page can say so.
TEST_F(NginxPage, AFrozenNodeIsNotNoticed) {
  auto& all = nodes->clients();
  for (std::size_t i = 0; i < 4; ++i)
    ASSERT_EQ(nodes->connect(all[i]), "");
  ASSERT_EQ(nodes->on(0).size(), 2u);
  (*nodes)[0].freeze();
  std::size_t unanswered = 0;
  std::vector<agentsim::blocking_agent>
      newcomers; // all stay connected: the next one goes where there are fewest
  for (std::size_t i = 4; i < agents; ++i) {
    auto& newcomer = newcomers.emplace_back(all[i].agent->who(), 2'000);
    auto from = agentsim::source_address(all[i].address, 0).value();
    ASSERT_TRUE(newcomer.connect(nodes->balanced_agents(), &from));
    auto answer = newcomer.startup();
    if (!answer && answer.error().code == errc::timeout) ++unanswered;
  }
  EXPECT_GE(unanswered, 1u) << "new agents are still given to it";
  (*nodes)[0].thaw();
}

TEST_F(NginxPage, AServerThatIsMarkedDownGetsNoNewConnectionsAndKeepsThoseThatItHas) {
  auto& all = nodes->clients();
  for (std::size_t i = 0; i < 2; ++i)
    ASSERT_EQ(nodes->connect(all[i]), "");
  auto stay = nodes->on(0);
  ASSERT_EQ(stay.size(), 1u);
  auto of_n1 = (*nodes)[0].agents_text() + " max_fails=1 fail_timeout=10s";
  write(replaced(configuration, {{of_n1, of_n1 + " down"}}));
  nginx->signal(SIGHUP);
  ASSERT_TRUE(eventually([&] { return nginx->log().find("gracefully shutting down") != std::string::npos; }))
      << nginx->log();
  for (std::size_t i = 2; i < agents; ++i) {
    ASSERT_EQ(nodes->connect(all[i]), "");
    EXPECT_EQ(nodes->node_of(all[i]), 1u);
  }
  EXPECT_TRUE(nodes->delivers(*stay.front(), 0, "still here"));
}

} // namespace
} // namespace picket::balancer
