// Attacks on the enrollment port: handshakes that do not end, TLS that is none, requests without number or
// end.
#include <memory>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/time.hpp"
#include "cluster-tests/agentsim/enrollment_client.hpp"
#include "cluster-tests/hostile/attacker.hpp"

namespace picket::hostile {

namespace {

using agentsim::file_descriptor;

constexpr std::int64_t step_limit_ms = 1'000;

struct freer {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* session) const { SSL_free(session); }
};
using context_ptr = std::unique_ptr<SSL_CTX, freer>;
using session_ptr = std::unique_ptr<SSL, freer>;

context_ptr client(int lowest, int highest) {
  context_ptr context{SSL_CTX_new(TLS_client_method())};
  SSL_CTX_set_security_level(context.get(), 0); // else the library itself refuses what is old
  SSL_CTX_set_min_proto_version(context.get(), lowest);
  SSL_CTX_set_max_proto_version(context.get(), highest);
  return context;
}

/// Repeats a non-blocking step of TLS until it is done. False: it failed, or took too long.
template <class Step>
bool finish(SSL* session, int fd, Step step) {
  const auto until_ms = steady_clock_ms() + step_limit_ms;
  for (;;) {
    ERR_clear_error();
    int outcome = step();
    if (outcome == 1) return true;
    switch (SSL_get_error(session, outcome)) {
    case SSL_ERROR_WANT_READ:
      if (!agentsim::wait_readable(fd, until_ms)) return false;
      break;
    case SSL_ERROR_WANT_WRITE:
      if (!agentsim::wait_writable(fd, until_ms)) return false;
      break;
    default:
      return false;
    }
  }
}

/// The first bytes that a client of TLS sends.
byte_buffer client_hello(SSL_CTX* context, const std::string& protocols = {}) {
  session_ptr session{SSL_new(context)};
  BIO* out = BIO_new(BIO_s_mem());
  SSL_set_bio(session.get(), BIO_new(BIO_s_mem()), out);
  if (!protocols.empty())
    SSL_set_alpn_protos(session.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                        static_cast<unsigned>(protocols.size()));
  SSL_connect(session.get());
  byte_buffer bytes(BIO_ctrl_pending(out));
  BIO_read(out, bytes.data(), static_cast<int>(bytes.size()));
  return bytes;
}

/// A handshake, a byte at a time, on `sockets` connections.
void slow_handshake(attacker& by) {
  struct slow {
    file_descriptor fd;
    std::size_t next = 0;
  };
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto hello = client_hello(context.get());
  std::vector<slow> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    auto& one = all[i];
    if (one.fd && by.closed(one.fd)) one.fd.reset();
    if (!one.fd) one = {by.connect(by.at.enrollment), 0};
    if (one.fd && one.next + 1 < hello.size()) by.send(one.fd, byte_view{hello}.subspan(one.next++, 1));
  }
}

struct tls_connection {
  file_descriptor fd;
  session_ptr session;

  static tls_connection open(attacker& by, SSL_CTX* context) {
    tls_connection made;
    made.fd = by.connect(by.at.enrollment);
    if (!made.fd) return made;
    made.session.reset(SSL_new(context));
    SSL_set_fd(made.session.get(), made.fd.get());
    if (!finish(made.session.get(), made.fd.get(), [&] { return SSL_connect(made.session.get()); }))
      made.session.reset();
    return made;
  }
  explicit operator bool() const noexcept { return static_cast<bool>(session); }
};

/// Handshakes that are made, and nothing behind them.
void silent_after_tls(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  std::vector<tls_connection> all(by.sockets);
  for (std::size_t i = 0; by.pace(); i = (i + 1) % all.size()) {
    if (all[i].fd && by.closed(all[i].fd)) all[i] = {};
    if (!all[i].fd) all[i] = tls_connection::open(by, context.get());
  }
}

void plain_text(attacker& by) {
  for (int i = 0; by.pace(); ++i) {
    auto fd = by.connect(by.at.enrollment);
    if (!fd) continue;
    by.send(fd, i % 2 == 0 ? std::string_view{"OSSEC A:'plain'\n"} : "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    by.wait_closed(fd, step_limit_ms);
    attacker::reset(fd);
  }
}

void old_versions(attacker& by) {
  auto tls10 = client(TLS1_VERSION, TLS1_VERSION);
  auto tls11 = client(TLS1_1_VERSION, TLS1_1_VERSION);
  for (int i = 0; by.pace(); ++i) {
    auto made = tls_connection::open(by, i % 2 == 0 ? tls10.get() : tls11.get());
    if (made) ++by.counts.answers; // must not be
    if (made.fd) attacker::reset(made.fd);
  }
}

/// Hellos of 60 KiB that are right, and ones that announce 16 MiB.
void huge_hello(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  std::string protocols;
  while (protocols.size() < 60'000)
    protocols += '\xfa' + std::string(250, 'p');
  const auto large = client_hello(context.get(), protocols);
  std::string endless{"\x16\x03\x01\x40\x00\x01\xff\xff\xff", 9};
  endless.resize(5 + 16'384, 'h');
  std::string more{"\x16\x03\x01\x40\x00", 5};
  more.resize(5 + 16'384, 'h');
  for (int i = 0; by.pace(); ++i) {
    auto fd = by.connect(by.at.enrollment);
    if (!fd) continue;
    if (i % 2 == 0) {
      by.send(fd, large);
    } else if (by.send(fd, endless)) {
      for (int part = 0; part < 20 && by.send(fd, more); ++part) {
      }
    }
    by.wait_closed(fd, 100);
    attacker::reset(fd);
  }
}

void renegotiation(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_2_VERSION);
  while (by.pace()) {
    auto made = tls_connection::open(by, context.get());
    if (!made) continue;
    auto* session = made.session.get();
    for (int i = 0; i < 10 && SSL_renegotiate(session) == 1; ++i) {
      ++by.counts.sent;
      if (!finish(session, made.fd.get(), [session] { return SSL_do_handshake(session); })) break;
      ++by.counts.answers; // must not be
    }
    made.session.reset();
    attacker::reset(made.fd);
  }
}

/// Behind a right hello a certificate that nobody asked for, with rubbish in it, and records of every type.
void handshake_rubbish(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  const auto hello = client_hello(context.get());
  std::uint32_t state = 1;
  for (int i = 0; by.pace(); ++i) {
    auto fd = by.connect(by.at.enrollment);
    if (!fd) continue;
    std::string rubbish{"\x16\x03\x03\x02\x04\x0b\x00\x02\x00", 9};
    rubbish[0] = static_cast<char>(0x14 + i % 5);
    while (rubbish.size() < 5 + 516) {
      state = state * 1'664'525U + 1'013'904'223U;
      rubbish.push_back(static_cast<char>(state >> 24U));
    }
    by.send(fd, hello);
    by.send(fd, rubbish);
    by.wait_closed(fd, step_limit_ms);
    attacker::reset(fd);
  }
}

/// A certificate of the attacker's own where agents need one of the site's; without that, one is not looked
/// at.
void ask(attacker& by, SSL_CTX* context, const std::string& request) {
  auto made = tls_connection::open(by, context);
  if (!made) return;
  auto* session = made.session.get();
  std::size_t put = 0;
  finish(session, made.fd.get(), [&] { return SSL_write_ex(session, request.data(), request.size(), &put); });
  ++by.counts.sent;
  char answer[256];
  std::size_t got = 0;
  if (finish(session, made.fd.get(), [&] { return SSL_read_ex(session, answer, sizeof answer, &got); }))
    ++by.counts.answers;
  made.session.reset();
  attacker::reset(made.fd);
}

void many_names(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  for (std::uint64_t i = 0; by.pace(); ++i)
    ask(by, context.get(),
        "OSSEC A:'flood-" + std::to_string(steady_clock_ms()) + "-" + std::to_string(i) + "'\n");
}

void same_name(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  while (by.pace())
    ask(by, context.get(), "OSSEC A:'" + by.at.victim.name + "'\n");
}

void endless_line(attacker& by) {
  auto context = client(TLS1_2_VERSION, TLS1_3_VERSION);
  const std::string part(16'384, 'A');
  while (by.pace()) {
    auto made = tls_connection::open(by, context.get());
    if (!made) continue;
    auto* session = made.session.get();
    for (int i = 0; i < 100 && by.going(); ++i) {
      std::size_t put = 0;
      if (!finish(session, made.fd.get(),
                  [&] { return SSL_write_ex(session, part.data(), part.size(), &put); }))
        break;
      ++by.counts.sent;
    }
    made.session.reset();
    attacker::reset(made.fd);
  }
}

} // namespace

std::span<const attack> enrollment_attacks() {
  static constexpr attack all[] = {
      {"slow-handshake", "handshakes on 1515, a byte at a time", slow_handshake, 2'000, 1'200},
      {"silent-after-tls", "handshakes on 1515 that are made, and nothing behind them", silent_after_tls, 200,
       300},
      {"plain-text", "plain text on 1515", plain_text, 500, 1},
      {"old-tls", "TLS 1.0 and 1.1", old_versions, 200, 1},
      {"huge-hello", "hellos of 60 KiB, and such that announce 16 MiB", huge_hello, 200, 1},
      {"renegotiation", "TLS 1.2 and then a new handshake again and again", renegotiation, 100, 1},
      {"handshake-rubbish", "a right hello and then rubbish, certificates among it", handshake_rubbish, 200,
       1},
      {"many-names", "enrollments under ever new names", many_names, 200, 1},
      {"same-name", "enrollments under the name of another agent", same_name, 200, 1},
      {"endless-line", "enrollment requests without an end", endless_line, 50, 1},
  };
  return all;
}

} // namespace picket::hostile
