// A node that is told to take no new agents, and what it tells a balancer's agent-check.

#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/wait.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "picket_paths.hpp"

namespace picket {
namespace {

using agentsim::blocking_agent;
using harness::eventually;
using ::testing::HasSubstr;

class Drain : public ::testing::Test {
protected:
  void start(harness::settings with = {}) {
    with.merge(harness::settings{{"health.agent_check_enabled", "yes"},
                                 {"health.agent_check_listen", "127.0.0.1:0"}});
    node = std::make_unique<harness::node_process>(dir.path(), std::move(with));
    auto started = node->start();
    ASSERT_TRUE(started) << to_string(started.error());
  }

  /// What the agent-check port says, up to the end of the connection.
  std::string check() const {
    auto fd = agentsim::begin_connect(agentsim::resolve(node->agent_check_text()).value()).value();
    std::string text;
    char part[64];
    while (agentsim::wait_readable(fd.get(), steady_clock_ms() + 10'000)) {
      auto got = ::recv(fd.get(), part, sizeof part, 0);
      if (got <= 0) return got == 0 ? text : "(broken)";
      text.append(part, static_cast<std::size_t>(got));
    }
    return "(silence)";
  }

  std::string readiness() const {
    auto colon = node->health_text().rfind(':');
    httplib::Client client{node->health_text().substr(0, colon),
                           std::stoi(node->health_text().substr(colon + 1))};
    auto page = client.Get("/health/ready/ingest");
    return page ? std::to_string(page->status) + " " + page->body : "no answer";
  }

  struct said {
    int code = -1;
    std::string text;
  };
  said picketctl(const std::string& words) const {
    auto command = std::string{PICKET_BINARY_DIR "/picketctl --insecure --url https://"} + node->api_text()
                   + " --token-file " + (node->directory() / "data" / "api.token").string() + " " + words;
    said all;
    auto* pipe = ::popen(command.c_str(), "r");
    char part[4'096];
    for (std::size_t got = 0; (got = std::fread(part, 1, sizeof part, pipe)) > 0;)
      all.text.append(part, got);
    all.code = WEXITSTATUS(::pclose(pipe));
    return all;
  }

  bool arrives(const std::string& text) const {
    return eventually([&] {
      for (auto& event : node->archives())
        if (event.value("full_log", "") == text) return true;
      return false;
    });
  }

  testing::scratch_directory dir;
  std::unique_ptr<harness::node_process> node;
};

TEST_F(Drain, TheNodeTellsBalancersAndKeepsItsAgents) {
  harness::seed_agent(dir.path(), harness::transcript_agent());
  start();
  EXPECT_EQ(check(), "ready\n");
  EXPECT_EQ(readiness(), "200 ok\n");
  blocking_agent agent{harness::transcript_agent()};
  ASSERT_TRUE(agent.connect(node->agents()));
  ASSERT_TRUE(agent.startup());
  auto drained = picketctl("node drain");
  EXPECT_EQ(drained.code, 0);
  EXPECT_THAT(drained.text, HasSubstr("node node-under-test is draining"));
  EXPECT_EQ(check(), "drain\n") << "at once";
  EXPECT_EQ(readiness(), "503 draining\n");
  EXPECT_EQ(node->health("/health/ready/control"), 200) << "enrollments and changes go on";
  EXPECT_TRUE(node->has_logged("event=node-draining by=api from=127.0.0.1"));
  EXPECT_TRUE(eventually([&] { return node->has_logged("event=not-ready reason=draining"); }));
  EXPECT_EQ(node->metric("picket_node_draining"), 1);
  EXPECT_EQ(node->metric("picket_ingest_ready"), 0);
  auto status = picketctl("node status");
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(
      status.text,
      HasSubstr("NOT READY: send this node no agents.\n  ! draining\n    -> 'picketctl node undrain'"));
  ASSERT_TRUE(agent.send_event("/var/log/x", "still here"));
  EXPECT_TRUE(arrives("still here"));
  auto answer = agent.keepalive();
  EXPECT_TRUE(answer) << to_string(answer.error());

  EXPECT_EQ(picketctl("node undrain").text, "node node-under-test is not draining\n");
  EXPECT_EQ(check(), "ready\n");
  EXPECT_EQ(readiness(), "200 ok\n");
  EXPECT_TRUE(eventually([&] { return node->has_logged("event=ready"); }));
  EXPECT_TRUE(node->has_logged("event=node-undrained by=api"));
  EXPECT_EQ(node->metric("picket_node_draining"), 0);
  EXPECT_GE(node->metric("picket_health_agent_checks_total{answer=\"drain\"}"), 1);
}

TEST_F(Drain, TheMarkIsForgottenByARestart) {
  start();
  ASSERT_TRUE(node->api("PUT", "/picket/drain"));
  EXPECT_EQ(check(), "drain\n");
  EXPECT_EQ(node->stop(), 0);
  ASSERT_TRUE(node->start());
  EXPECT_EQ(check(), "ready\n");
}

TEST_F(Drain, ANodeThatIsNotReadyForEventsSaysDrainAsWell) {
  constexpr std::uintmax_t most = 1'099'511'627'776;
  if (std::filesystem::space(dir.path()).available > most)
    GTEST_SKIP() << "more than 1 TiB is free on the disk";
  start({{"limits.disk_free_min_bytes", std::to_string(most)}}); // as if it were full
  EXPECT_THAT(readiness(), HasSubstr("503 only "));
  EXPECT_EQ(check(), "drain\n");
}

TEST_F(Drain, ThePortIsOffByDefault) {
  harness::node_process plain{dir.path()};
  ASSERT_TRUE(plain.start());
  EXPECT_EQ(plain.agent_check_text(), "off");
}

} // namespace
} // namespace picket
