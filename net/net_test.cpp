#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <functional>
#include <mutex>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.hpp"
#include "net/listener.hpp"

namespace picket::net {
namespace {

TEST(Address, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(to_string(*parse_endpoint("0.0.0.0:1514")), "0.0.0.0:1514");
  EXPECT_EQ(to_string(*parse_endpoint("[2001:db8::1]:55000")), "[2001:db8::1]:55000");
  EXPECT_EQ(to_string(*parse_ip("::ffff:10.1.2.3")), "10.1.2.3") << "one peer, one spelling";
  for (auto bad : {"", "1514", "1.2.3:1", "1.2.3.4:", "1.2.3.4:70000", "1.2.3.4:1x", "::1:1514", "host:1"})
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
}

/// What a server connection saw, for the test's own thread.
struct seen {
  std::mutex mutex;
  std::condition_variable changed;
  std::string bytes;
  bool ended = false;
  bool closed = false;
  close_reason reason{};
  connection_token token = 0;

  bool wait(const std::function<bool()>& condition) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, std::chrono::seconds(20), condition);
  }
};

class recorder : public connection_handler {
public:
  recorder(seen& s, std::function<void(connection&)> on_bytes)
      : seen_{s}
      , on_bytes_{std::move(on_bytes)} {}
  std::size_t on_data(connection& from, byte_view bytes) override {
    {
      std::lock_guard lock{seen_.mutex};
      seen_.bytes += as_text(bytes);
      seen_.token = from.token();
      seen_.changed.notify_all();
    }
    if (on_bytes_) on_bytes_(from);
    return bytes.size();
  }
  void on_end(connection&) override {
    std::lock_guard lock{seen_.mutex};
    seen_.ended = true;
    seen_.changed.notify_all();
  }
  void on_closed(connection&, close_reason reason) override {
    std::lock_guard lock{seen_.mutex};
    seen_.closed = true;
    seen_.reason = reason;
    seen_.changed.notify_all();
  }

private:
  seen& seen_;
  std::function<void(connection&)> on_bytes_;
};

bool eventually(const std::function<bool()>& condition) {
  auto until_ms = steady_clock_ms() + 20'000;
  while (!condition()) {
    if (steady_clock_ms() > until_ms) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

class Net : public ::testing::Test {
protected:
  void SetUp() override {
    thread = std::move(*io_thread::create("net-test"));
    thread->start();
  }
  void TearDown() override {
    thread->stop();
    server.reset();
    for (int fd : sockets)
      ::close(fd);
  }

  void serve(std::function<void(connection&)> on_bytes, std::function<void(connection&)> on_open = {},
             std::shared_ptr<tls_context> tls = nullptr) {
    listener::options opts;
    opts.where = *parse_endpoint("127.0.0.1:0");
    opts.tls = std::move(tls);
    auto opened = listener::open(*thread, opts, [=, this](connection& c) {
      if (on_open) on_open(c);
      return std::make_shared<recorder>(saw, on_bytes);
    });
    ASSERT_TRUE(opened) << to_string(opened.error());
    server = std::move(*opened);
    thread->run([this] { ASSERT_TRUE(server->start()); });
  }

  int connect() {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_storage address{};
    auto length = to_sockaddr(server->where(), address);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    sockets.push_back(fd);
    return fd;
  }

  static std::string receive(int fd, std::size_t size) {
    std::string text;
    char part[4096];
    while (text.size() < size) {
      pollfd waiting{fd, POLLIN, 0};
      if (::poll(&waiting, 1, 20'000) <= 0) break;
      auto got = ::recv(fd, part, std::min(sizeof part, size - text.size()), 0);
      if (got <= 0) break;
      text.append(part, static_cast<std::size_t>(got));
    }
    return text;
  }

  std::unique_ptr<io_thread> thread;
  std::unique_ptr<listener> server;
  seen saw;
  std::vector<int> sockets;
};

TEST_F(Net, CarriesBytesBothWaysAndTellsTheEnd) {
  serve([](connection& c) { c.send("pong"); });
  int fd = connect();
  ASSERT_EQ(::send(fd, "ping", 4, 0), 4);
  EXPECT_EQ(receive(fd, 4), "pong");
  ::shutdown(fd, SHUT_WR);
  ASSERT_TRUE(saw.wait([&] { return saw.closed; }));
  EXPECT_TRUE(saw.ended);
  EXPECT_EQ(saw.reason, close_reason::by_peer);
}

TEST_F(Net, APausedConnectionReadsNothingUntilItResumes) {
  serve({}, [](connection& c) { c.pause(); });
  int fd = connect();
  ASSERT_EQ(::send(fd, "late", 4, 0), 4);
  connection* open = nullptr;
  while (open == nullptr)
    thread->run([&] { server->for_each([&](connection& c) { open = &c; }); });
  {
    std::lock_guard lock{saw.mutex};
    EXPECT_EQ(saw.bytes, "");
  }
  thread->run([&] { server->for_each([](connection& c) { c.resume(); }); });
  EXPECT_TRUE(saw.wait([&] { return saw.bytes == "late"; }));
}

TEST_F(Net, WhatABrokenConnectionHadSentIsReadWhenAPauseEnds) {
  serve({}, [](connection& c) { c.pause(); });
  int fd = connect();
  ASSERT_EQ(::send(fd, "kept", 4, 0), 4);
  linger reset{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  connection* open = nullptr;
  while (open == nullptr)
    thread->run([&] { server->for_each([&](connection& c) { open = &c; }); });
  ::close(fd);
  sockets.pop_back();
  // Rounds of the loop in which the end of the connection could be seen.
  for (int i = 0; i < 100; ++i)
    thread->run([] {});
  {
    std::lock_guard lock{saw.mutex};
    EXPECT_FALSE(saw.closed) << "a paused connection is not ended for its peer's end";
  }
  thread->run([&] { server->for_each([](connection& c) { c.resume(); }); });
  ASSERT_TRUE(saw.wait([&] { return saw.closed; }));
  EXPECT_EQ(saw.bytes, "kept");
}

/// An agent that waited long for us gives up. Acknowledgements to it, which its kernel answers with a reset,
/// must not cost what it had sent. (agent-behaviour B2)
TEST_F(Net, WhatAPeerSentBeforeItWentIsReadAlsoAfterWritingToIt) {
  serve({}, [](connection& c) { c.pause(); });
  int fd = connect();
  const std::string sent(50'000, 'x');
  ASSERT_EQ(::send(fd, sent.data(), sent.size(), 0), static_cast<ssize_t>(sent.size()));
  std::size_t open = 0;
  while (open == 0)
    thread->run([&] { server->for_each([&](connection&) { ++open; }); });
  ::close(fd);
  sockets.pop_back();
  for (int i = 0; i < 3; ++i) // the second and third find a connection that was reset
    thread->run([&] { server->for_each([](connection& c) { c.send("ack"); }); });
  thread->run([&] { server->for_each([](connection& c) { c.resume(); }); });
  ASSERT_TRUE(saw.wait([&] { return saw.closed; }));
  EXPECT_EQ(saw.bytes, sent);
}

/// A buffer that we set would not grow any more. (agent-behaviour B4)
TEST_F(Net, TheReceiveBufferIsLeftToTheKernel) {
  serve({});
  int fd = connect();
  ASSERT_EQ(::send(fd, "x", 1, 0), 1);
  ASSERT_TRUE(saw.wait([&] { return !saw.bytes.empty(); }));
  sockaddr_in client{};
  socklen_t size = sizeof client;
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&client), &size), 0);
  int limits[3] = {};
  std::ifstream{"/proc/sys/net/ipv4/tcp_rmem"} >> limits[0] >> limits[1] >> limits[2];
  int found = 0;
  for (int other = 3; other < 256 && found == 0; ++other) {
    sockaddr_in peer{};
    size = sizeof peer;
    if (::getpeername(other, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || peer.sin_port != client.sin_port) continue;
    int bytes = 0;
    size = sizeof bytes;
    ASSERT_EQ(::getsockopt(other, SOL_SOCKET, SO_RCVBUF, &bytes, &size), 0);
    EXPECT_GE(bytes, limits[1]) << "net.ipv4.tcp_rmem's default, from which it grows";
    ++found;
  }
  EXPECT_EQ(found, 1) << "the server's end of the connection";
}

TEST_F(Net, AfterAHalfCloseTheRestIsStillRead) {
  serve([](connection& c) { c.half_close(); });
  int fd = connect();
  ASSERT_EQ(::send(fd, "one", 3, 0), 3);
  char byte;
  EXPECT_EQ(::recv(fd, &byte, 1, 0), 0) << "the server sends no more";
  ASSERT_EQ(::send(fd, "two", 3, 0), 3);
  ::shutdown(fd, SHUT_WR);
  ASSERT_TRUE(saw.wait([&] { return saw.closed; }));
  EXPECT_EQ(saw.bytes, "onetwo");
}

TEST_F(Net, ADeadlineEndsASilentConnection) {
  serve({}, [](connection& c) { c.set_deadline(30); });
  connect();
  ASSERT_TRUE(saw.wait([&] { return saw.closed; }));
  EXPECT_EQ(saw.reason, close_reason::deadline);
}

TEST_F(Net, RefusesAFrameThatDoesNotFitAndQueuesNothingOfIt) {
  std::atomic<int> taken{0};
  std::atomic<bool> refused{false};
  serve([&](connection& c) {
    std::string frame(60'000, 'x');
    for (int i = 0; i < 1000 && !refused; ++i) {
      if (c.send(frame))
        ++taken;
      else
        refused = true;
    }
  });
  int fd = connect();
  ASSERT_EQ(::send(fd, "go", 2, 0), 2);
  ASSERT_TRUE(saw.wait([&] { return !saw.bytes.empty(); }));
  while (!refused) {
  }
  auto expected = static_cast<std::size_t>(taken) * 60'000;
  EXPECT_EQ(receive(fd, expected).size(), expected);
}

TEST_F(Net, APortInUseIsAnErrorThatNamesIt) {
  serve({});
  listener::options opts;
  opts.where = server->where();
  auto second = listener::open(*thread, opts, [](connection&) { return nullptr; });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::address_in_use);
  EXPECT_EQ(second.error().where, to_string(server->where()));
}

TEST_F(Net, TimersFireInOrderAndCanBeCancelled) {
  std::mutex mutex;
  std::condition_variable changed;
  std::string order;
  thread->run([&] {
    auto add = [&](char c) {
      return [&, c] {
        std::lock_guard lock{mutex};
        order.push_back(c);
        changed.notify_all();
      };
    };
    thread->after(20, add('b'));
    thread->after(5, add('a'));
    auto gone = thread->after(10, add('x'));
    thread->cancel(gone);
  });
  std::unique_lock lock{mutex};
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(20), [&] { return order.size() == 2; }));
  EXPECT_EQ(order, "ab");
}

TEST_F(Net, APostAfterTheStopIsRefused) {
  EXPECT_TRUE(thread->run([] {}));
  thread->stop();
  EXPECT_FALSE(thread->post([] {}));
  EXPECT_FALSE(thread->run([] {}));
}

class Tls : public Net {
protected:
  void SetUp() override {
    Net::SetUp();
    auto base = ::testing::TempDir() + "picket_tls_" + std::to_string(::getpid());
    options.certificate_file = base + ".cert";
    options.key_file = base + ".key";
    auto made = ensure_self_signed(options.certificate_file, options.key_file, "node-1", 10);
    ASSERT_TRUE(made) << to_string(made.error());
  }
  void TearDown() override {
    Net::TearDown();
    std::remove(options.certificate_file.c_str());
    std::remove(options.key_file.c_str());
  }

  /// The answer to one line over TLS of that version; empty when the handshake fails.
  std::string ask(int version, const std::string& line) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_min_proto_version(context, version);
    SSL_CTX_set_max_proto_version(context, version);
    SSL* ssl = SSL_new(context);
    SSL_set_fd(ssl, connect());
    std::string answer;
    if (SSL_connect(ssl) == 1) {
      SSL_write(ssl, line.data(), static_cast<int>(line.size()));
      char part[256];
      int got = SSL_read(ssl, part, sizeof part);
      if (got > 0) answer.assign(part, static_cast<std::size_t>(got));
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    return answer;
  }

  tls_options options;
};

TEST_F(Tls, ServesTls12And13AndRefuses11) {
  auto context = tls_context::server(options);
  ASSERT_TRUE(context) << to_string(context.error());
  serve(
      [](connection& c) {
        c.send("hello");
        c.close_after_write();
      },
      {}, *context);
  EXPECT_EQ(ask(TLS1_2_VERSION, "hi\n"), "hello");
  EXPECT_EQ(ask(TLS1_3_VERSION, "hi\n"), "hello");
  EXPECT_EQ(ask(TLS1_1_VERSION, "hi\n"), "");
}

TEST_F(Tls, TheKeyIsPrivateAndIsMadeOnlyOnce) {
  struct stat info {};
  ASSERT_EQ(::stat(options.key_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  auto again = ensure_self_signed(options.certificate_file, options.key_file, "node-1", 10);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
  std::remove(options.key_file.c_str());
  auto half = ensure_self_signed(options.certificate_file, options.key_file, "node-1", 10);
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, errc::certificate_invalid);
}

TEST_F(Tls, AMissingCertificateIsAnErrorWithItsPath) {
  options.certificate_file = "/nowhere/cert.pem";
  auto context = tls_context::server(options);
  ASSERT_FALSE(context);
  EXPECT_EQ(context.error().where, "/nowhere/cert.pem");
}

TEST_F(Net, AFullPortMakesRoomOrRefusesAndSaysWhy) {
  std::mutex mutex;
  std::vector<refusal> refusals;
  std::weak_ptr<connection> worth_less;
  listener::options opts;
  opts.where = *parse_endpoint("127.0.0.1:0");
  opts.limits = std::make_shared<connection_limits>(1, 0);
  opts.make_room = [&](const ip_address&) {
    auto one = worth_less.lock();
    if (!one || !one->is_open()) return false;
    one->close();
    return true;
  };
  opts.on_refused = [&](refusal reason, const ip_address&) {
    std::lock_guard lock{mutex};
    refusals.push_back(reason);
  };
  auto opened = listener::open(*thread, opts, [&](connection& c) {
    if (worth_less.expired()) worth_less = c.weak_from_this();
    return std::make_shared<recorder>(saw, nullptr);
  });
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  thread->run([this] { ASSERT_TRUE(server->start()); });
  connect();
  int second = connect();
  ASSERT_EQ(::send(second, "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(saw.wait([&] { return saw.bytes == "x"; })) << "the first made room";
  connect(); // the second is worth more
  EXPECT_TRUE(eventually([&] {
    std::lock_guard lock{mutex};
    return refusals == std::vector<refusal>{refusal::total};
  }));
  EXPECT_TRUE(eventually([&] { return opts.limits->open() == 1; }));
}

TEST_F(Net, WhoIsNotAdmittedIsClosedUnread) {
  std::atomic<int> refused{0};
  listener::options opts;
  opts.where = *parse_endpoint("127.0.0.1:0");
  opts.admit = [](const ip_address&) { return std::optional{refusal::rate}; };
  opts.on_refused = [&](refusal reason, const ip_address&) { refused += reason == refusal::rate; };
  auto opened = listener::open(*thread, opts, [&](connection&) -> std::shared_ptr<connection_handler> {
    ADD_FAILURE() << "must not be opened";
    return nullptr;
  });
  ASSERT_TRUE(opened);
  server = std::move(*opened);
  thread->run([this] { ASSERT_TRUE(server->start()); });
  connect();
  EXPECT_TRUE(eventually([&] { return refused == 1; }));
}

} // namespace
} // namespace picket::net
