// Connections of balancers: what the PROXY header makes of their peer and of the limits.

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "net/listener.hpp"

namespace picket::net {
namespace {

using namespace std::string_literals;

bool eventually(const std::function<bool()>& condition) {
  auto until_ms = steady_clock_ms() + 20'000;
  while (!condition()) {
    if (steady_clock_ms() > until_ms) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

/// Says to its client who that is, and what it has sent.
class teller final : public connection_handler {
public:
  std::size_t on_data(connection& from, byte_view bytes) override {
    from.send(to_string(from.peer()) + " said " + std::string{as_text(bytes)} + "\n");
    return bytes.size();
  }
};

/// A listener that takes 127.0.0.1 for a balancer; clients come from any address of 127.0.0.0/8.
class ProxyListener : public ::testing::Test {
protected:
  void SetUp() override {
    thread = std::move(*io_thread::create("proxy-test"));
    thread->start();
    options.where = *parse_endpoint("127.0.0.1:0");
    options.proxies = {{*parse_ip("127.0.0.1"), 32}};
    options.limits = std::make_shared<connection_limits>(100, 0);
    options.on_refused = [this](refusal reason, const ip_address& from) {
      std::lock_guard lock{mutex};
      refusals.emplace_back(std::string{name_of(reason)} + " " + to_string(from));
    };
  }
  void TearDown() override {
    for (int fd : sockets)
      ::close(fd);
    if (server) thread->run([this] { server->stop(); });
    EXPECT_TRUE(eventually([this] { return options.limits->open() == 0; })) << "every place came back";
    thread->stop();
    server.reset();
  }

  void serve() {
    auto opened = listener::open(*thread, options, [](connection&) { return std::make_shared<teller>(); });
    ASSERT_TRUE(opened) << to_string(opened.error());
    server = std::move(*opened);
    thread->run([this] { ASSERT_TRUE(server->start()); });
  }

  int connect(const char* from = "127.0.0.1") {
    int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_storage address{};
    auto length = to_sockaddr({*parse_ip(from), 0}, address);
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    length = to_sockaddr(server->where(), address);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
    sockets.push_back(fd);
    return fd;
  }

  static void say(int fd, const std::string& text) {
    EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  /// Up to a line's end; "(closed)" where the connection ends first.
  static std::string hear(int fd) {
    std::string line;
    char c = 0;
    for (pollfd waiting{fd, POLLIN, 0}; ::poll(&waiting, 1, 20'000) > 0;) {
      if (::recv(fd, &c, 1, 0) <= 0) return "(closed)";
      if (c == '\n') return line;
      line += c;
    }
    return "(silence)";
  }

  bool refused(const std::vector<std::string>& expected) {
    return eventually([&] {
      std::lock_guard lock{mutex};
      return refusals == expected;
    });
  }

  std::unique_ptr<io_thread> thread;
  std::unique_ptr<listener> server;
  listener::options options;
  std::mutex mutex;
  std::vector<std::string> refusals;
  std::vector<int> sockets;
};

std::string v1(const std::string& client) { return "PROXY TCP4 " + client + " 192.0.2.10 40000 1514\r\n"; }
const std::string local = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s;

TEST_F(ProxyListener, ThePeerIsTheClientThatTheHeaderNames) {
  serve();
  int fd = connect();
  say(fd, v1("198.51.100.7") + "hello");
  EXPECT_EQ(hear(fd), "198.51.100.7:40000 said hello");
}

TEST_F(ProxyListener, AHeaderMayComeByteByByteAndWhatFollowsStays) {
  serve();
  for (const auto& header :
       {v1("198.51.100.7"),
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\xc0\0\2\x0a\x9c\x40\5\xea"s}) {
    int fd = connect();
    for (char c : header) {
      say(fd, {c});
      thread->run([] {}); // a round of the loop: it is seen by itself
    }
    say(fd, "hello");
    EXPECT_EQ(hear(fd), "198.51.100.7:40000 said hello");
  }
}

TEST_F(ProxyListener, AHeaderIsNothingFromAnyOtherAddress) {
  serve();
  int fd = connect("127.0.0.2");
  say(fd, "PROXY UNKNOWN\r");
  EXPECT_EQ(hear(fd).substr(0, 10), "127.0.0.2:");
}

TEST_F(ProxyListener, ACheckKeepsTheBalancersAddress) {
  serve();
  for (const auto& header : {"PROXY UNKNOWN\r\n"s, local}) {
    int fd = connect();
    say(fd, header + "x");
    EXPECT_EQ(hear(fd).substr(0, 10), "127.0.0.1:");
  }
}

TEST_F(ProxyListener, WithoutAHeaderItIsClosedAndCounted) {
  serve();
  int fd = connect();
  say(fd, "\5\0\0\0#ping"s);
  EXPECT_EQ(hear(fd), "(closed)");
  EXPECT_TRUE(refused({"bad_proxy_header 127.0.0.1"}));
  fd = connect();
  say(fd, "PROXY TCP4 198.51.100.7");
  ::shutdown(fd, SHUT_WR);
  EXPECT_EQ(hear(fd), "(closed)");
  EXPECT_TRUE(refused({"bad_proxy_header 127.0.0.1", "bad_proxy_header 127.0.0.1"}));
}

TEST_F(ProxyListener, ALateHeaderIsClosedAndCounted) {
  options.proxy_header_ms = 50;
  serve();
  int silent = connect();
  int slow = connect();
  say(slow, "PROXY ");
  EXPECT_EQ(hear(silent), "(closed)");
  EXPECT_EQ(hear(slow), "(closed)");
  EXPECT_TRUE(refused({"no_proxy_header 127.0.0.1", "no_proxy_header 127.0.0.1"}));
}

TEST_F(ProxyListener, ACheckThatOnlyConnectsIsNoRefusal) {
  serve();
  ::shutdown(connect(), SHUT_WR);
  EXPECT_EQ(hear(sockets.back()), "(closed)");
  EXPECT_TRUE(refused({}));
}

TEST_F(ProxyListener, LimitsOfAddressesCountClients) {
  options.limits = std::make_shared<connection_limits>(100, 1);
  options.admit = [](const ip_address& from) {
    EXPECT_NE(to_string(from), "127.0.0.1") << "the balancer is nobody's client";
    return to_string(from) == "198.51.100.66" ? std::optional{refusal::penalty} : std::nullopt;
  };
  serve();
  int first = connect();
  say(first, v1("198.51.100.7") + "x");
  EXPECT_EQ(hear(first), "198.51.100.7:40000 said x");
  int other = connect();
  say(other, v1("198.51.100.8") + "x");
  EXPECT_EQ(hear(other), "198.51.100.8:40000 said x");
  int second = connect();
  say(second, v1("198.51.100.7"));
  EXPECT_EQ(hear(second), "(closed)");
  EXPECT_TRUE(refused({"address 198.51.100.7"}));
  for (int i = 0; i < 3; ++i) {
    int check = connect();
    say(check, local + "x");
    EXPECT_EQ(hear(check).substr(0, 10), "127.0.0.1:");
  }
  int bad = connect();
  say(bad, v1("198.51.100.66"));
  EXPECT_EQ(hear(bad), "(closed)");
  EXPECT_TRUE(refused({"address 198.51.100.7", "penalty 198.51.100.66"}));
  ::shutdown(first, SHUT_WR);
  EXPECT_EQ(hear(first), "(closed)");
  int again = connect();
  say(again, v1("198.51.100.7") + "y");
  EXPECT_EQ(hear(again), "198.51.100.7:40000 said y") << "the place came back";
}

TEST_F(ProxyListener, OnAFullPortTheOneThatWaitsLongestForItsHeaderGoes) {
  options.limits = std::make_shared<connection_limits>(2, 0);
  serve();
  int oldest = connect();
  ASSERT_TRUE(eventually([this] { return options.limits->open() == 1; }));
  int known = connect();
  say(known, v1("198.51.100.7") + "x");
  EXPECT_EQ(hear(known), "198.51.100.7:40000 said x");
  int third = connect();
  EXPECT_EQ(hear(oldest), "(closed)");
  EXPECT_TRUE(refused({"no_proxy_header 127.0.0.1"}));
  int untrusted = connect("127.0.0.2");
  EXPECT_EQ(hear(third), "(closed)") << "for any newcomer";
  say(untrusted, "x");
  EXPECT_EQ(hear(untrusted).substr(0, 10), "127.0.0.2:");
  int too_many = connect();
  EXPECT_EQ(hear(too_many), "(closed)");
  EXPECT_TRUE(refused({"no_proxy_header 127.0.0.1", "no_proxy_header 127.0.0.1", "total 127.0.0.1"}));
}

TEST_F(ProxyListener, AStopEndsThoseThatWait) {
  serve();
  int fd = connect();
  ASSERT_TRUE(eventually([this] { return options.limits->open() == 1; }));
  thread->run([this] { server->stop(); });
  EXPECT_EQ(hear(fd), "(closed)");
  EXPECT_TRUE(refused({}));
}

TEST_F(ProxyListener, TlsBeginsBehindTheHeader) {
  testing::scratch_directory scratch;
  tls_options files;
  files.certificate_file = (scratch.path() / "c").string();
  files.key_file = (scratch.path() / "k").string();
  ASSERT_TRUE(ensure_self_signed(files.certificate_file, files.key_file, "n1", 10));
  options.tls = *tls_context::server(files);
  serve();
  int fd = connect();
  say(fd, v1("198.51.100.7"));
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  ASSERT_EQ(SSL_connect(ssl), 1);
  SSL_write(ssl, "hello", 5);
  char text[64] = "";
  EXPECT_GT(SSL_read(ssl, text, sizeof text - 1), 0);
  EXPECT_EQ(std::string{text}, "198.51.100.7:40000 said hello\n");
  SSL_free(ssl);
  SSL_CTX_free(context);
}

TEST(AddressRange, HoldsWhatSharesItsFirstBits) {
  auto in = [](const char* base, unsigned bits, const char* address) {
    return address_range{*parse_ip(base), bits}.contains(*parse_ip(address));
  };
  EXPECT_TRUE(in("10.0.0.0", 8, "10.255.1.2"));
  EXPECT_FALSE(in("10.0.0.0", 8, "11.0.0.0"));
  EXPECT_TRUE(in("192.0.2.16", 28, "192.0.2.31"));
  EXPECT_FALSE(in("192.0.2.16", 28, "192.0.2.32"));
  EXPECT_TRUE(in("192.0.2.1", 32, "192.0.2.1"));
  EXPECT_FALSE(in("192.0.2.1", 32, "192.0.2.0"));
  EXPECT_TRUE(in("192.0.2.1", 32, "::ffff:192.0.2.1")) << "one peer, one spelling";
  EXPECT_TRUE(in("0.0.0.0", 0, "203.0.113.9"));
  EXPECT_FALSE(in("0.0.0.0", 0, "2001:db8::1")) << "of its own family only";
  EXPECT_TRUE(in("2001:db8::", 33, "2001:db8:7fff::1"));
  EXPECT_FALSE(in("2001:db8::", 33, "2001:db8:8000::1"));
  EXPECT_TRUE(in("2001:db8::1", 128, "2001:db8::1"));
  EXPECT_FALSE(in("2001:db8::1", 128, "2001:db8::2"));
}

} // namespace
} // namespace picket::net
