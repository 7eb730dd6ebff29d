#include "net/tls.hpp"

#include <cerrno>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "net/openssl_handles.hpp"

namespace picket::net {

using openssl::bad;
using openssl::handle;

namespace {

/// What holds for every context of ours.
void harden(SSL_CTX* raw) {
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

result<void> use_own(SSL_CTX* raw, const std::string& certificate_file, const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1)
    return bad("cannot read the certificate", certificate_file);
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad("cannot read the key", key_file);
  if (SSL_CTX_check_private_key(raw) != 1) return bad("certificate and key do not belong together", key_file);
  return {};
}

} // namespace

result<std::shared_ptr<tls_context>> tls_context::server(const tls_options& options) {
  SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return bad("cannot create a TLS context", {});
  std::shared_ptr<tls_context> self{new tls_context{raw}};
  harden(raw);
  if (SSL_CTX_set_cipher_list(raw, options.ciphers.c_str()) != 1)
    return bad("no cipher fits", options.ciphers);
  if (auto own = use_own(raw, options.certificate_file, options.key_file); !own)
    return tl::unexpected<error>(own.error());
  if (!options.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(raw, options.client_ca_file.c_str(), nullptr) != 1)
      return bad("cannot read the CA file", options.client_ca_file);
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(options.client_ca_file.c_str()));
    self->verify_client_address_ = options.verify_client_address;
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return self;
}

result<std::shared_ptr<tls_context>> tls_context::node(const node_tls_files& files, bool client) {
  SSL_CTX* raw = SSL_CTX_new(client ? TLS_client_method() : TLS_server_method());
  if (raw == nullptr) return bad("cannot create a TLS context", {});
  std::shared_ptr<tls_context> self{new tls_context{raw}};
  self->client_ = client;
  harden(raw);
  if (SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) return bad("no cipher fits", {});
  if (auto own = use_own(raw, files.certificate_file, files.key_file); !own)
    return tl::unexpected<error>(own.error());
  if (SSL_CTX_load_verify_locations(raw, files.ca_file.c_str(), nullptr) != 1)
    return bad("cannot read the CA file", files.ca_file);
  if (!client) SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(files.ca_file.c_str()));
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return self;
}

result<std::shared_ptr<tls_context>> tls_context::node_server(const node_tls_files& files) {
  return node(files, false);
}

result<std::shared_ptr<tls_context>> tls_context::node_client(const node_tls_files& files) {
  return node(files, true);
}

tls_context::~tls_context() { SSL_CTX_free(context_); }

tls_session::tls_session(std::shared_ptr<tls_context> context, int fd)
    : context_{std::move(context)}
    , ssl_{SSL_new(context_->get())} {
  if (ssl_ == nullptr) return;
  SSL_set_fd(ssl_, fd);
  context_->is_client() ? SSL_set_connect_state(ssl_) : SSL_set_accept_state(ssl_);
}

tls_session::~tls_session() { SSL_free(ssl_); }

tls_session::step tls_session::step_of(int outcome) {
  switch (SSL_get_error(ssl_, outcome)) {
  case SSL_ERROR_NONE:
    return step::done;
  case SSL_ERROR_WANT_READ:
    return step::want_read;
  case SSL_ERROR_WANT_WRITE:
    return step::want_write;
  case SSL_ERROR_ZERO_RETURN:
    return step::ended;
  default:
    note_failure();
    return step::failed;
  }
}

tls_session::step tls_session::handshake() {
  if (ssl_ == nullptr) return step::failed;
  begun_ = true;
  ERR_clear_error();
  auto outcome = step_of(SSL_do_handshake(ssl_));
  established_ = outcome == step::done;
  return outcome;
}

void tls_session::note_failure() {
  // With TLS 1.3 a client is told after its own handshake that the server does not want it.
  auto said = openssl::library_text();
  auto verified = SSL_get_verify_result(ssl_);
  failure_ = verified == X509_V_OK ? said : X509_verify_cert_error_string(verified);
}

std::string tls_session::peer_certificate() const {
  if (ssl_ == nullptr) return {};
  handle<X509> certificate{SSL_get1_peer_certificate(ssl_)};
  if (!certificate) return {};
  unsigned char* der = nullptr;
  int size = i2d_X509(certificate.get(), &der);
  if (size <= 0) return {};
  std::string bytes{reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)};
  OPENSSL_free(der);
  return bytes;
}

tls_session::step tls_session::read(std::byte* into, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  errno = 0;
  int outcome = SSL_read_ex(ssl_, into, size, &count);
  return outcome == 1 ? step::done : step_of(outcome);
}

tls_session::step tls_session::write(const std::byte* from, std::size_t size, std::size_t& count) {
  ERR_clear_error();
  int outcome = SSL_write_ex(ssl_, from, size, &count);
  return outcome == 1 ? step::done : step_of(outcome);
}

void tls_session::shutdown() {
  if (ssl_ == nullptr || !established_) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool tls_session::peer_may_use(const std::string& address) const {
  if (!context_->verifies_client_address()) return true;
  X509* certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return false;
  // The address as an alternative name, or as the common name where there is none.
  bool fits = X509_check_ip_asc(certificate, address.c_str(), 0) == 1
              || X509_check_host(certificate, address.c_str(), address.size(), 0, nullptr) == 1;
  X509_free(certificate);
  return fits;
}

bool tls_session::has_pending() const { return ssl_ != nullptr && SSL_has_pending(ssl_) == 1; }

namespace {

handle<X509> make_certificate(EVP_PKEY* key, const std::string& common_name, int days) {
  handle<X509> certificate{X509_new()};
  if (!certificate) return nullptr;
  X509_set_version(certificate.get(), 2);
  if (!openssl::set_serial(certificate.get())) return nullptr;
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(days) * 86'400);
  auto* name = X509_get_subject_name(certificate.get());
  openssl::add_name(name, "CN", common_name);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  auto* self = certificate.get();
  bool fine = openssl::add_extension(self, self, NID_basic_constraints, "critical,CA:FALSE")
              && openssl::add_extension(self, self, NID_ext_key_usage, "serverAuth,clientAuth")
              && openssl::add_extension(self, self, NID_subject_alt_name,
                                        "DNS:" + common_name + ",DNS:localhost,IP:127.0.0.1");
  if (!fine || X509_sign(certificate.get(), key, EVP_sha256()) == 0) return nullptr;
  return certificate;
}

} // namespace

result<bool> ensure_self_signed(const std::string& certificate_file, const std::string& key_file,
                                const std::string& common_name, int days) {
  bool have_certificate = ::access(certificate_file.c_str(), F_OK) == 0;
  bool have_key = ::access(key_file.c_str(), F_OK) == 0;
  if (have_certificate && have_key) return false;
  if (have_certificate != have_key)
    return fail(errc::certificate_invalid, "one of certificate and key is missing",
                have_key ? certificate_file : key_file,
                "put the missing file back, or remove both to get new ones");
  auto key = openssl::make_key();
  if (!key) return bad("cannot make a key", key_file);
  auto certificate = make_certificate(key.get(), common_name, days);
  if (!certificate) return bad("cannot make a certificate", certificate_file);
  auto wrote_key = openssl::write_file(key_file, 0600, [&](std::FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
  if (!wrote_key) return tl::unexpected<error>(wrote_key.error());
  auto wrote = openssl::write_file(
      certificate_file, 0644, [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()) == 1; });
  if (!wrote) return tl::unexpected<error>(wrote.error());
  return true;
}

} // namespace picket::net
