#include "cluster-tests/agentsim/enrollment_client.hpp"

#include "base/time.hpp"

#include <csignal>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace picket::agentsim {

namespace {

int number_of(tls_version version) {
  switch (version) {
  case tls_version::v1_1:
    return TLS1_1_VERSION;
  case tls_version::v1_2:
    return TLS1_2_VERSION;
  case tls_version::v1_3:
    return TLS1_3_VERSION;
  }
  return TLS1_2_VERSION;
}

std::string openssl_text() {
  auto code = ERR_get_error();
  if (code == 0) return "the connection ended";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

} // namespace

tls_client_context::tls_client_context(tls_version lowest, tls_version highest,
                                       const std::string& certificate_file, const std::string& key_file)
    : context_(SSL_CTX_new(TLS_client_method())) {
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes to sockets that the peer may have closed
  SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
  if (lowest == tls_version::v1_1) SSL_CTX_set_security_level(context_, 0); // OpenSSL forbids it otherwise
  SSL_CTX_set_min_proto_version(context_, number_of(lowest));
  SSL_CTX_set_max_proto_version(context_, number_of(highest));
  if (!certificate_file.empty() && !key_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context_, certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context_, key_file.c_str(), SSL_FILETYPE_PEM);
  }
}

tls_client_context::~tls_client_context() { SSL_CTX_free(context_); }

result<std::unique_ptr<enrollment_exchange>>
enrollment_exchange::begin(const tls_client_context& context, const socket_address& to,
                           const socket_address* from, std::string line, std::string preamble) {
  auto fd = begin_connect(to, from);
  if (!fd) return tl::unexpected(fd.error());
  SSL* ssl = SSL_new(context.get());
  if (ssl == nullptr) return fail(errc::internal, "no memory for TLS");
  SSL_set_fd(ssl, fd->get());
  SSL_set_connect_state(ssl);
  std::unique_ptr<enrollment_exchange> made{new enrollment_exchange{std::move(*fd), ssl, std::move(line)}};
  made->preamble_ = std::move(preamble);
  return made;
}

enrollment_exchange::enrollment_exchange(file_descriptor fd, SSL* ssl, std::string line)
    : fd_(std::move(fd))
    , ssl_(ssl)
    , line_(std::move(line)) {}

enrollment_exchange::~enrollment_exchange() { SSL_free(ssl_); }

enrollment_exchange::wants enrollment_exchange::end(result<std::string> answer) {
  answer_ = std::move(answer);
  phase_ = phase::over;
  return wants::nothing;
}

enrollment_exchange::wants enrollment_exchange::after(int outcome, const char* doing) {
  switch (SSL_get_error(ssl_, outcome)) {
  case SSL_ERROR_WANT_READ:
    return wants::read;
  case SSL_ERROR_WANT_WRITE:
    return wants::write;
  case SSL_ERROR_ZERO_RETURN:
    return end(heard_);
  default:
    // Many servers end the connection without saying so in TLS; what was heard until then counts.
    if (!heard_.empty()) return end(heard_);
    return end(fail(errc::io, std::string{doing} + ": " + openssl_text()));
  }
}

enrollment_exchange::wants enrollment_exchange::step() {
  ERR_clear_error();
  if (phase_ == phase::connecting) {
    if (int number = connect_outcome(fd_.get()); number != 0)
      return end(fail(errc::io, "cannot connect: " + system_text(number)));
    // A fresh socket takes so few bytes at once.
    const auto sent = ::send(fd_.get(), preamble_.data(), preamble_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(preamble_.size()))
      return end(fail(errc::io, "cannot send the preamble"));
    phase_ = phase::shaking_hands;
  }
  if (phase_ == phase::shaking_hands) {
    if (int outcome = SSL_do_handshake(ssl_); outcome != 1) return after(outcome, "TLS handshake");
    phase_ = phase::writing;
  }
  if (phase_ == phase::writing) {
    if (!line_.empty())
      if (int outcome = SSL_write(ssl_, line_.data(), static_cast<int>(line_.size())); outcome <= 0)
        return after(outcome, "send the request");
    phase_ = phase::reading;
  }
  while (phase_ == phase::reading) {
    char buffer[4'096];
    int outcome = SSL_read(ssl_, buffer, sizeof buffer);
    if (outcome <= 0) return after(outcome, "read the answer");
    heard_.append(buffer, static_cast<std::size_t>(outcome));
    if (heard_.size() > 65'536) return end(fail(errc::limit_reached, "the answer has no end"));
  }
  return wants::nothing;
}

result<std::string> exchange_line(const tls_client_context& context, const socket_address& to,
                                  std::string line, std::int64_t timeout_ms, const socket_address* from,
                                  std::string preamble) {
  auto exchange = enrollment_exchange::begin(context, to, from, std::move(line), std::move(preamble));
  if (!exchange) return tl::unexpected(exchange.error());
  const auto deadline_ms = steady_clock_ms() + timeout_ms;
  auto want = enrollment_exchange::wants::write;
  while (want != enrollment_exchange::wants::nothing) {
    int fd = (*exchange)->fd();
    bool ready = want == enrollment_exchange::wants::read ? wait_readable(fd, deadline_ms)
                                                          : wait_writable(fd, deadline_ms);
    if (!ready) return fail(errc::timeout, "no answer to the enrollment");
    want = (*exchange)->step();
  }
  return (*exchange)->answer();
}

} // namespace picket::agentsim
