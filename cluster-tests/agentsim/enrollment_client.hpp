#pragma once

#include "cluster-tests/agentsim/socket.hpp"
#include "protocol/enrollment/answers.hpp"

#include <memory>
#include <optional>
#include <string>

typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace picket::agentsim {

enum class tls_version : std::uint8_t { v1_1, v1_2, v1_3 };

/// TLS settings of agents: no check of the server's certificate, as agents without `server_ca_path` do.
class tls_client_context {
public:
  /// The versions from `lowest` to `highest`; a certificate of the client only if both files are named.
  explicit tls_client_context(tls_version lowest = tls_version::v1_2, tls_version highest = tls_version::v1_3,
                              const std::string& certificate_file = {}, const std::string& key_file = {});
  tls_client_context(const tls_client_context&) = delete;
  tls_client_context& operator=(const tls_client_context&) = delete;
  ~tls_client_context();
  SSL_CTX* get() const noexcept { return context_; }

private:
  SSL_CTX* context_;
};

/// One enrollment: connect, TLS, one line, the answer up to the end of the connection. Never blocks; call
/// `step` when the socket is ready.
class enrollment_exchange {
public:
  enum class wants { read, write, nothing };

  /// @param line with its line end; sent as it is
  /// @param preamble sent before TLS begins: a balancer's header; at most some hundred bytes
  static result<std::unique_ptr<enrollment_exchange>> begin(const tls_client_context& context,
                                                            const socket_address& to,
                                                            const socket_address* from, std::string line,
                                                            std::string preamble = {});
  ~enrollment_exchange();

  /// What to wait for; nothing: it is over.
  wants step();
  int fd() const noexcept { return fd_.get(); }
  /// What the server said, or why nothing was heard.
  const result<std::string>& answer() const noexcept { return answer_; }

private:
  enrollment_exchange(file_descriptor fd, SSL* ssl, std::string line);
  wants after(int outcome, const char* doing);
  wants end(result<std::string> answer);

  enum class phase { connecting, shaking_hands, writing, reading, over };
  file_descriptor fd_;
  SSL* ssl_;
  std::string line_;
  std::string preamble_;
  std::string heard_;
  phase phase_ = phase::connecting;
  result<std::string> answer_ = std::string{};
};

/// The whole exchange, waiting. The answer as sent, or `errc::timeout`, `errc::io`.
result<std::string> exchange_line(const tls_client_context& context, const socket_address& to,
                                  std::string line, std::int64_t timeout_ms,
                                  const socket_address* from = nullptr, std::string preamble = {});

} // namespace picket::agentsim
