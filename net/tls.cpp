#include "net/tls.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::net {

namespace {

std::string library_text() {
  char text[256] = "no reason given";
  auto code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

tl::unexpected<error> bad(const std::string& what, const std::string& where) {
  return fail(errc::certificate_invalid, what + ": " + library_text(), where);
}

} // namespace

result<std::shared_ptr<tls_context>> tls_context::server(const tls_options& options) {
  SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return bad("cannot create a TLS context", {});
  std::shared_ptr<tls_context> self{new tls_context{raw}};
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(raw, options.ciphers.c_str()) != 1)
    return bad("no cipher fits", options.ciphers);
  if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_file.c_str()) != 1)
    return bad("cannot read the certificate", options.certificate_file);
  if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad("cannot read the key", options.key_file);
  if (SSL_CTX_check_private_key(raw) != 1)
    return bad("certificate and key do not belong together", options.key_file);
  if (!options.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_locations(raw, options.client_ca_file.c_str(), nullptr) != 1)
      return bad("cannot read the CA file", options.client_ca_file);
    SSL_CTX_set_client_CA_list(raw, SSL_load_client_CA_file(options.client_ca_file.c_str()));
    self->verify_client_address_ = options.verify_client_address;
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  return self;
}

tls_context::~tls_context() { SSL_CTX_free(context_); }

tls_session::tls_session(std::shared_ptr<tls_context> context, int fd)
    : context_{std::move(context)}
    , ssl_{SSL_new(context_->get())} {
  if (ssl_ == nullptr) return;
  SSL_set_fd(ssl_, fd);
  SSL_set_accept_state(ssl_);
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
    ERR_clear_error();
    return step::failed;
  }
}

tls_session::step tls_session::handshake() {
  if (ssl_ == nullptr) return step::failed;
  ERR_clear_error();
  auto outcome = step_of(SSL_accept(ssl_));
  established_ = outcome == step::done;
  return outcome;
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

struct freer {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(std::FILE* p) const { std::fclose(p); }
};

template <class T>
using handle = std::unique_ptr<T, freer>;

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  handle<X509_EXTENSION> extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

handle<X509> make_certificate(EVP_PKEY* key, const std::string& common_name, int days) {
  handle<X509> certificate{X509_new()};
  if (!certificate) return nullptr;
  X509_set_version(certificate.get(), 2);
  std::uint64_t serial = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) != 1) return nullptr;
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(days) * 86'400);
  auto* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key);
  bool fine = add_extension(certificate.get(), NID_basic_constraints, "critical,CA:FALSE")
              && add_extension(certificate.get(), NID_ext_key_usage, "serverAuth,clientAuth")
              && add_extension(certificate.get(), NID_subject_alt_name,
                               "DNS:" + common_name + ",DNS:localhost,IP:127.0.0.1");
  if (!fine || X509_sign(certificate.get(), key, EVP_sha256()) == 0) return nullptr;
  return certificate;
}

/// Writes through a temporary file, so that a reader sees a whole file or none.
template <class Write>
result<void> write_pem(const std::string& path, unsigned mode, Write write) {
  auto temporary = path + ".new";
  ::unlink(temporary.c_str());
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(errc::io, "cannot write: " + system_text(errno), path);
  handle<std::FILE> file{::fdopen(fd, "w")};
  if (!file || !write(file.get()) || std::fflush(file.get()) != 0 || ::fdatasync(fd) != 0
      || ::rename(temporary.c_str(), path.c_str()) != 0)
    return fail(errc::io, "cannot write: " + system_text(errno), path);
  return {};
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
  handle<EVP_PKEY> key{EVP_EC_gen("P-256")};
  if (!key) return bad("cannot make a key", key_file);
  auto certificate = make_certificate(key.get(), common_name, days);
  if (!certificate) return bad("cannot make a certificate", certificate_file);
  auto wrote_key = write_pem(key_file, 0600, [&](std::FILE* out) {
    return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  });
  if (!wrote_key) return tl::unexpected<error>(wrote_key.error());
  auto wrote = write_pem(certificate_file, 0644,
                         [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()) == 1; });
  if (!wrote) return tl::unexpected<error>(wrote.error());
  return true;
}

} // namespace picket::net
