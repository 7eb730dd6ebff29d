#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "net/testing/cluster_certificates.hpp"

namespace picket::net {
namespace {

using testing::cluster_certificates;

constexpr std::int64_t day_s = 86'400;

/// What one side of a connection saw.
class side final : public connection_handler {
public:
  explicit side(std::string greeting = {})
      : greeting_{std::move(greeting)} {}

  void on_ready(connection& from) override {
    std::lock_guard lock{mutex_};
    certificate_ = from.peer_certificate();
    ready_ = true;
    changed_.notify_all();
    if (!greeting_.empty()) from.send(greeting_);
  }
  std::size_t on_data(connection&, byte_view bytes) override {
    std::lock_guard lock{mutex_};
    bytes_ += as_text(bytes);
    changed_.notify_all();
    return bytes.size();
  }
  void on_closed(connection& from, close_reason reason) override {
    std::lock_guard lock{mutex_};
    closed_ = true;
    reason_ = reason;
    failure_ = from.tls_failure();
    changed_.notify_all();
  }
  bool wait_for(const std::string& text) {
    return wait([&] { return bytes_ == text; });
  }
  bool wait_closed() {
    return wait([&] { return closed_; });
  }
  std::string certificate() {
    std::lock_guard lock{mutex_};
    return certificate_;
  }
  std::string bytes() {
    std::lock_guard lock{mutex_};
    return bytes_;
  }
  std::string failure() {
    std::lock_guard lock{mutex_};
    return failure_;
  }
  close_reason reason() {
    std::lock_guard lock{mutex_};
    return reason_;
  }

private:
  bool wait(const std::function<bool()>& condition) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }
  std::string greeting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  std::string certificate_;
  std::string failure_;
  bool ready_ = false;
  bool closed_ = false;
  close_reason reason_{};
};

class NodeTls : public ::testing::Test {
protected:
  // As picketd does: OpenSSL writes to sockets that the other side may have closed.
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

  void SetUp() override {
    thread = std::move(*io_thread::create("node-tls"));
    thread->start();
  }
  void TearDown() override {
    thread->stop();
    server.reset();
  }

  void serve(const node_tls_files& files) {
    listener::options opts;
    opts.where = *parse_endpoint("127.0.0.1:0");
    if (!files.ca_file.empty()) {
      auto tls = tls_context::node_server(files);
      ASSERT_TRUE(tls) << to_string(tls.error());
      opts.tls = *tls;
    }
    auto opened = listener::open(*thread, opts, [this](connection&) { return serving; });
    ASSERT_TRUE(opened);
    server = std::move(*opened);
    thread->run([this] { ASSERT_TRUE(server->start()); });
  }
  void dial(const node_tls_files& files) {
    auto tls = tls_context::node_client(files);
    ASSERT_TRUE(tls) << to_string(tls.error());
    thread->run([&] {
      dialer::options opts;
      opts.where = server->where();
      opts.tls = *tls;
      dialing = dialer::dial(*thread, opts, [this](result<std::shared_ptr<connection>> got) {
        ASSERT_TRUE(got) << to_string(got.error());
        open = *got;
        open->open(calling);
      });
    });
  }
  /// Dials with these and tells why it fails, as each side says.
  void expect_refused(const node_tls_files& by_server, const node_tls_files& by_client,
                      const std::string& server_says, const std::string& client_says) {
    serve(by_server);
    dial(by_client);
    EXPECT_TRUE(serving->wait_closed());
    EXPECT_TRUE(calling->wait_closed());
    EXPECT_EQ(serving->reason(), close_reason::tls);
    EXPECT_NE(serving->failure().find(server_says), std::string::npos) << serving->failure();
    EXPECT_NE(calling->failure().find(client_says), std::string::npos) << calling->failure();
    EXPECT_EQ(serving->bytes(), "") << "nothing of it was ever offered";
  }

  cluster_certificates cluster;
  std::unique_ptr<io_thread> thread;
  std::unique_ptr<listener> server;
  std::shared_ptr<side> serving = std::make_shared<side>("from the server");
  std::shared_ptr<side> calling = std::make_shared<side>("from the client");
  std::shared_ptr<dialer> dialing;
  std::shared_ptr<connection> open;
};

TEST_F(NodeTls, BothSidesShowTheirCertificates) {
  auto one = cluster.issue(1);
  auto two = cluster.issue(2);
  serve(one.files);
  dial(two.files);
  EXPECT_TRUE(serving->wait_for("from the client"));
  EXPECT_TRUE(calling->wait_for("from the server"));
  auto now_s = cluster_certificates::now_s();
  auto server_sees =
      check_certificate(serving->certificate(), cluster.ca().certificate, "test-cluster", now_s);
  auto client_sees =
      check_certificate(calling->certificate(), cluster.ca().certificate, "test-cluster", now_s);
  ASSERT_TRUE(server_sees) << to_string(server_sees.error());
  ASSERT_TRUE(client_sees) << to_string(client_sees.error());
  EXPECT_EQ(server_sees->node, 2u);
  EXPECT_EQ(server_sees->fingerprint, two.fingerprint);
  EXPECT_EQ(client_sees->node, 1u);
  EXPECT_EQ(client_sees->fingerprint, one.fingerprint);
}

TEST_F(NodeTls, ARenewedCertificateIsTakenFromTheNextConnectionOn) {
  auto one = cluster.issue(1);
  serve(one.files);
  auto old = cluster.issue(2, cluster_certificates::now_s() - 89 * day_s);
  dial(old.files);
  EXPECT_TRUE(serving->wait_for("from the client"));
  thread->run([&] { open->close(); });
  auto fresh = cluster.issue(2);
  serving = std::make_shared<side>("from the server");
  calling = std::make_shared<side>("from the client");
  dial(fresh.files);
  EXPECT_TRUE(serving->wait_for("from the client"));
  EXPECT_EQ(*fingerprint_of(serving->certificate()), fresh.fingerprint);
}

TEST_F(NodeTls, AClientOfAnotherCaIsRefused) {
  cluster_certificates other;
  auto foreign = other.issue(2);
  foreign.files.ca_file = cluster.ca_file(); // it would accept the server
  expect_refused(cluster.issue(1).files, foreign.files, "issuer", "alert");
}

TEST_F(NodeTls, AServerOfAnotherCaIsRefused) {
  cluster_certificates other;
  expect_refused(other.issue(1).files, cluster.issue(2).files, "alert",
                 "self-signed certificate in certificate chain");
}

TEST_F(NodeTls, AnExpiredCertificateIsRefused) {
  auto expired = cluster.issue(2, cluster_certificates::now_s() - 91 * day_s);
  expect_refused(cluster.issue(1).files, expired.files, "expired", "alert");
}

TEST_F(NodeTls, ACertificateThatIsNotYetValidIsRefused) {
  auto early = cluster.issue(1, cluster_certificates::now_s() + day_s);
  expect_refused(early.files, cluster.issue(2).files, "", "not yet valid");
}

TEST_F(NodeTls, OneThatSignedItselfIsRefused) {
  auto self = make_cluster_ca("test-cluster", cluster_certificates::now_s()).value();
  auto files = cluster.issue(2).files;
  ASSERT_TRUE(write_pem_file(files.certificate_file, self.certificate, false));
  ASSERT_TRUE(write_pem_file(files.key_file, self.key, true));
  expect_refused(cluster.issue(1).files, files, "self", "alert");
}

TEST_F(NodeTls, AClientWithoutACertificateIsRefused) {
  serve(cluster.issue(1).files);
  SSL_CTX* bare = SSL_CTX_new(TLS_client_method());
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage address{};
  auto length = to_sockaddr(server->where(), address);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), length), 0);
  SSL* ssl = SSL_new(bare);
  SSL_set_fd(ssl, fd);
  SSL_connect(ssl); // with TLS 1.3 it learns of its refusal at the first read only
  char byte = 0;
  EXPECT_LE(SSL_read(ssl, &byte, 1), 0);
  EXPECT_TRUE(serving->wait_closed());
  EXPECT_NE(serving->failure().find("peer did not return a certificate"), std::string::npos)
      << serving->failure();
  SSL_free(ssl);
  SSL_CTX_free(bare);
  ::close(fd);
}

TEST_F(NodeTls, NothingBelowTls12IsSpoken) {
  serve(cluster.issue(1).files);
  auto files = cluster.issue(2).files;
  auto tls = tls_context::node_client(files);
  ASSERT_TRUE(tls);
  SSL_CTX_set_min_proto_version((*tls)->get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version((*tls)->get(), TLS1_1_VERSION);
  thread->run([&] {
    dialer::options opts;
    opts.where = server->where();
    opts.tls = *tls;
    dialing = dialer::dial(*thread, opts, [this](result<std::shared_ptr<connection>> got) {
      open = *got;
      open->open(calling);
    });
  });
  EXPECT_TRUE(calling->wait_closed());
  EXPECT_EQ(calling->certificate(), "");
}

TEST_F(NodeTls, FilesThatDoNotFitAreAnError) {
  auto one = cluster.issue(1).files;
  auto two = cluster.issue(2).files;
  for (const auto& bad : {node_tls_files{one.certificate_file, two.key_file, one.ca_file},
                          node_tls_files{one.certificate_file, one.key_file, "/no/such"},
                          node_tls_files{"/no/such", one.key_file, one.ca_file}}) {
    EXPECT_FALSE(tls_context::node_server(bad));
    EXPECT_FALSE(tls_context::node_client(bad));
  }
}

TEST_F(NodeTls, ADialThatNobodyTakesFails) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<errc> outcomes;
  auto dial_to = [&](const endpoint& where, std::int64_t limit_ms) {
    thread->run([&] {
      dialer::options opts;
      opts.where = where;
      opts.limit_ms = limit_ms;
      dialing = dialer::dial(*thread, opts, [&](result<std::shared_ptr<connection>> got) {
        std::lock_guard lock{mutex};
        outcomes.push_back(got ? errc::internal : got.error().code);
        changed.notify_all();
      });
    });
    std::unique_lock lock{mutex};
    auto before = outcomes.size();
    changed.wait_for(lock, std::chrono::seconds(20),
                     [&] { return outcomes.size() > before || !outcomes.empty(); });
    auto last = outcomes.empty() ? errc::internal : outcomes.back();
    outcomes.clear();
    return last;
  };
  serve({});
  auto closed = server->where();
  thread->run([&] { server->stop(); });
  EXPECT_EQ(dial_to(closed, 1'000), errc::io) << "refused";

  // A port whose backlog is full: SYNs are dropped.
  int full = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage address{};
  auto length = to_sockaddr(*parse_endpoint("127.0.0.1:0"), address);
  ASSERT_EQ(::bind(full, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(::listen(full, 0), 0);
  socklen_t size = sizeof address;
  ::getsockname(full, reinterpret_cast<sockaddr*>(&address), &size);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  EXPECT_EQ(dial_to(from_sockaddr(address), 200), errc::timeout);
  for (int fd : fillers)
    ::close(fd);
  ::close(full);
}

} // namespace
} // namespace picket::net
