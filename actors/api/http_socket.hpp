#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "net/tls.hpp"

#include <sys/types.h>

namespace picket::api {

struct http_socket_limits {
  std::int64_t head_ms = 5'000; ///< from a request's first byte to the end of its head, handshake included
  std::int64_t crowded_head_ms = 200; ///< the same while others wait for a thread
  std::int64_t idle_ms = 1'000;       ///< between two requests; nothing while others wait
  std::int64_t body_ms = 30'000;      ///< from the head to the last byte of the answer
  std::size_t head_bytes = 64 * 1024;
  std::size_t body_bytes = 10 * 1024 * 1024; ///< as it comes over the wire
};

/// One connection of an HTTP server on the thread that serves it: every read and write has the time limit of
/// the whole request, so that a client which sends byte by byte holds the thread no longer than one which
/// sends nothing; and a request has a greatest size, whatever it says of itself. Takes the descriptor.
class http_socket {
public:
  /// `crowded`: others wait for a thread right now.
  http_socket(int fd, std::shared_ptr<net::tls_context> tls, http_socket_limits limits,
              std::function<bool()> crowded);
  http_socket(const http_socket&) = delete;
  http_socket& operator=(const http_socket&) = delete;
  ~http_socket();

  /// Waits for the first byte of a request, the handshake in front of it. False: none came in time.
  bool begin_request(bool first);
  /// The head has been read; from here the limit of the body holds.
  void head_is_read();

  /// As `recv`: bytes, 0 at the end of the stream, -1 when it broke, or the time or the size is over.
  ssize_t read(char* into, std::size_t size);
  /// Sends all of it. -1: it broke, or the time is over.
  ssize_t write(const char* from, std::size_t size);
  /// Why what had begun was not taken: "handshake", "slow", "too_large"; null: nothing was refused.
  const char* refused() const noexcept { return refused_; }
  int fd() const noexcept { return fd_; }
  const std::string& peer() const noexcept { return peer_; }
  int peer_port() const noexcept { return peer_port_; }

private:
  bool wait(short events);
  bool handshake();
  ssize_t fill();
  ssize_t write_some(const char* from, std::size_t size);
  std::int64_t deadline_ms() const;

  int fd_;
  std::shared_ptr<net::tls_context> context_;
  std::unique_ptr<net::tls_session> tls_;
  http_socket_limits limits_;
  std::function<bool()> crowded_;
  std::string peer_;
  int peer_port_ = 0;
  std::int64_t began_ms_ = 0;
  bool in_head_ = true;
  const char* refused_ = nullptr;
  std::size_t read_bytes_ = 0; ///< of this head or body
  std::string buffer_;         ///< read and not yet taken
  std::size_t taken_ = 0;
};

} // namespace picket::api
