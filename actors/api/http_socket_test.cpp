#include "actors/api/http_socket.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.hpp"

namespace picket::api {
namespace {

class HttpSocket : public ::testing::Test {
protected:
  void open(http_socket_limits limits) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    client = ends[0];
    socket = std::make_unique<http_socket>(ends[1], nullptr, limits, [this] { return crowded.load(); });
  }
  void TearDown() override {
    if (client >= 0) ::close(client);
  }
  void say(const std::string& text) {
    ASSERT_EQ(::send(client, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Reads a byte at a time, as the library reads lines, until it fails.
  std::size_t read_all() {
    char byte = 0;
    std::size_t count = 0;
    while (socket->read(&byte, 1) == 1)
      ++count;
    return count;
  }
  /// A client that sends a byte every few milliseconds, for as long as it is listened to.
  std::size_t fed_byte_by_byte() {
    std::atomic<bool> stop{false};
    std::thread slow{[&] {
      while (!stop && ::send(client, "x", 1, MSG_NOSIGNAL) == 1)
        ::poll(nullptr, 0, 5);
    }};
    auto count = read_all();
    stop = true;
    slow.join();
    return count;
  }

  int client = -1;
  std::atomic<bool> crowded{false};
  std::unique_ptr<http_socket> socket;
};

TEST_F(HttpSocket, AHeadThatComesByteByByteHasOneLimitForAllOfIt) {
  http_socket_limits limits;
  limits.head_ms = 100;
  open(limits);
  say("G");
  ASSERT_TRUE(socket->begin_request(true));
  auto began_ms = steady_clock_ms();
  EXPECT_GE(fed_byte_by_byte(), 1u);
  EXPECT_GE(steady_clock_ms() - began_ms, 50);
}

TEST_F(HttpSocket, WhileOthersWaitTheLimitIsShort) {
  http_socket_limits limits;
  limits.head_ms = 3'600'000;
  limits.crowded_head_ms = 50;
  open(limits);
  crowded = true;
  say("G");
  ASSERT_TRUE(socket->begin_request(true));
  EXPECT_GE(fed_byte_by_byte(), 1u) << "else this test hangs";
}

TEST_F(HttpSocket, ASilentClientIsLeft) {
  http_socket_limits limits;
  limits.head_ms = 30;
  open(limits);
  EXPECT_FALSE(socket->begin_request(true));
}

TEST_F(HttpSocket, AnIdleConnectionIsKeptOnlyWhileNobodyWaits) {
  http_socket_limits limits;
  limits.idle_ms = 3'600'000;
  open(limits);
  say("G");
  ASSERT_TRUE(socket->begin_request(true));
  char byte = 0;
  ASSERT_EQ(socket->read(&byte, 1), 1);
  crowded = true;
  EXPECT_FALSE(socket->begin_request(false)) << "else this test hangs";
}

TEST_F(HttpSocket, HeadAndBodyHaveAGreatestSize) {
  http_socket_limits limits;
  limits.head_bytes = 100;
  limits.body_bytes = 200;
  open(limits);
  say(std::string(500, 'x'));
  ASSERT_TRUE(socket->begin_request(true));
  EXPECT_EQ(read_all(), 100u);
  socket->head_is_read();
  EXPECT_EQ(read_all(), 200u);
  say(std::string(100, 'y'));
  ASSERT_TRUE(socket->begin_request(false));
  EXPECT_EQ(read_all(), 100u) << "each request anew";
}

TEST_F(HttpSocket, SendsAllOfALargeAnswer) {
  open({});
  const std::string answer(5'000'000, 'a');
  std::size_t got = 0;
  std::thread reader{[&] {
    char sink[65'536];
    for (ssize_t n = 0; (n = ::recv(client, sink, sizeof sink, 0)) > 0;)
      got += static_cast<std::size_t>(n);
  }};
  EXPECT_EQ(socket->write(answer.data(), answer.size()), static_cast<ssize_t>(answer.size()));
  socket.reset();
  reader.join();
  EXPECT_EQ(got, answer.size());
}

TEST_F(HttpSocket, AClientThatDoesNotReadIsLeft) {
  http_socket_limits limits;
  limits.body_ms = 50;
  open(limits);
  const std::string answer(5'000'000, 'a');
  EXPECT_EQ(socket->write(answer.data(), answer.size()), -1);
}

} // namespace
} // namespace picket::api
