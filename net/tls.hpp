#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/error.hpp"

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace picket::net {

struct tls_options {
  std::string certificate_file;       ///< PEM chain
  std::string key_file;               ///< PEM
  std::string client_ca_file;         ///< empty: no client certificate is asked for
  bool verify_client_address = false; ///< with a CA: the certificate must name the peer's address as well
  std::string ciphers =
      "HIGH:!ADH:!EXP:!MD5:!RC4:!3DES:!CAMELLIA:@STRENGTH"; ///< TLS 1.2 (agent-protocol.md 1.1)
};

/// Where a node's own certificate lies, for connections between nodes.
struct node_tls_files {
  std::string certificate_file; ///< PEM, signed by the cluster's CA
  std::string key_file;         ///< PEM
  std::string ca_file;          ///< PEM: the cluster's CA, and nothing else
};

/// TLS settings of one side, shared by its connections. TLS 1.2 and 1.3 only.
class tls_context {
public:
  /// Errors: certificate_invalid.
  static result<std::shared_ptr<tls_context>> server(const tls_options& options);

  /// The two sides of a connection between nodes. Each wants a certificate of the other one that the
  /// cluster's CA has signed; who it names, the caller checks (`node_certificate.hpp`). Only ciphers with
  /// forward secrecy and authenticated encryption. Errors: certificate_invalid.
  static result<std::shared_ptr<tls_context>> node_server(const node_tls_files& files);
  static result<std::shared_ptr<tls_context>> node_client(const node_tls_files& files);

  ~tls_context();
  SSL_CTX* get() const noexcept { return context_; }
  bool verifies_client_address() const noexcept { return verify_client_address_; }
  bool is_client() const noexcept { return client_; }

private:
  static result<std::shared_ptr<tls_context>> node(const node_tls_files& files, bool client);

  explicit tls_context(SSL_CTX* context)
      : context_{context} {}
  SSL_CTX* context_;
  bool verify_client_address_ = false;
  bool client_ = false;
};

/// The TLS state of one connection, of the side that its context is for, over a non-blocking socket.
class tls_session {
public:
  enum class step { done, want_read, want_write, ended, failed };

  tls_session(std::shared_ptr<tls_context> context, int fd);
  ~tls_session();

  step handshake();
  bool established() const noexcept { return established_; }
  /// This side speaks first and has not yet.
  bool has_to_begin() const noexcept { return context_->is_client() && !begun_; }
  /// Why the handshake or a record failed, for people; empty if none did.
  const std::string& failure() const noexcept { return failure_; }
  /// The other side's certificate as DER; empty if it showed none.
  std::string peer_certificate() const;
  /// `count`: bytes read or written when the step is done. One call writes one TLS record where the size
  /// allows.
  step read(std::byte* into, std::size_t size, std::size_t& count);
  step write(const std::byte* from, std::size_t size, std::size_t& count);
  void shutdown();
  /// Bytes already decrypted that wait in the library; the socket will not report them.
  bool has_pending() const;
  SSL* get() const noexcept { return ssl_; }
  /// After the handshake: whether the client may come from `address` (agent-protocol.md 1.1). True where
  /// nobody asks.
  bool peer_may_use(const std::string& address) const;

private:
  step step_of(int outcome);
  void note_failure();

  std::shared_ptr<tls_context> context_;
  SSL* ssl_;
  bool established_ = false;
  bool begun_ = false;
  std::string failure_;
};

/// Makes a self-signed P-256 certificate for `names` (host names and addresses) unless both files exist.
/// Files are written by rename, the key with mode 0600. Errors: io, certificate_invalid (one of two exists).
result<bool> ensure_self_signed(const std::string& certificate_file, const std::string& key_file,
                                const std::string& common_name, int days);

} // namespace picket::net
