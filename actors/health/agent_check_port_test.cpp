#include "actors/health/agent_check_port.hpp"

#include <mutex>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket {
namespace {

class AgentCheckPort : public ::testing::Test {
protected:
  void SetUp() override {
    auto opened = agent_check_port::open({*net::parse_endpoint("127.0.0.1:0"),
                                          [this] {
                                            std::lock_guard lock{mutex};
                                            return reason;
                                          }},
                                         counts);
    ASSERT_TRUE(opened) << to_string(opened.error());
    port = std::move(*opened);
  }

  int connect() const {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_storage address{};
    auto length = net::to_sockaddr(port->where(), address);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    return fd;
  }

  /// Everything up to the end of the connection.
  static std::string hear(int fd) {
    std::string text;
    char part[64];
    for (pollfd waiting{fd, POLLIN, 0}; ::poll(&waiting, 1, 20'000) > 0;) {
      auto got = ::recv(fd, part, sizeof part, 0);
      if (got < 0) return "(reset)";
      if (got == 0) return text;
      text.append(part, static_cast<std::size_t>(got));
    }
    return "(silence)";
  }

  std::string ask(const std::string& question = {}) const {
    int fd = connect();
    if (!question.empty()) ::send(fd, question.data(), question.size(), MSG_NOSIGNAL);
    auto text = hear(fd);
    ::close(fd);
    return text;
  }

  void why_not(const std::string& text) {
    std::lock_guard lock{mutex};
    reason = text;
  }

  std::mutex mutex;
  std::string reason;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::unique_ptr<agent_check_port> port;
};

TEST_F(AgentCheckPort, SaysReadyOrDrainAndEndsTheConnection) {
  EXPECT_EQ(ask(), "ready\n");
  why_not("draining");
  EXPECT_EQ(ask(), "drain\n");
  EXPECT_EQ(ask("agent-send\n"), "drain\n") << "what HAProxy may say first is nothing to it";
  why_not("");
  EXPECT_EQ(ask(), "ready\n");
  EXPECT_EQ(counts->health_agent_checks_total.value_for("ready"), 2);
  EXPECT_EQ(counts->health_agent_checks_total.value_for("drain"), 2);
}

TEST_F(AgentCheckPort, TellsNoSecondLineWhateverItIsSent) {
  EXPECT_EQ(ask(std::string(60'000, 'x')), "ready\n");
  EXPECT_EQ(counts->health_agent_checks_total.value_for("ready"), 1);
}

TEST_F(AgentCheckPort, AskersThatStayAreBoundedAndMakeRoom) {
  std::vector<int> sitting;
  for (std::size_t i = 0; i < agent_check_port::max_connections; ++i) {
    sitting.push_back(connect());
    ASSERT_EQ(hear(sitting.back()), "ready\n") << i;
  }
  auto refused = ask();
  EXPECT_TRUE(refused.empty() || refused == "(reset)") << refused;
  // They never end the connection; the port does.
  for (int i = 0; i < 1'000 && ask() != "ready\n"; ++i)
    ::poll(nullptr, 0, 10);
  EXPECT_EQ(ask(), "ready\n");
  for (int fd : sitting)
    ::close(fd);
}

TEST_F(AgentCheckPort, APortInUseIsAnError) {
  auto second = agent_check_port::open({port->where(), [] { return std::string{}; }}, counts);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::address_in_use);
}

} // namespace
} // namespace picket
