#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

/// Client sockets of simulated agents.

namespace picket::agentsim {

/// An IPv4 or IPv6 address with its port, as the system calls want it.
struct socket_address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// "127.0.0.1:1514", "[::1]:1514"; names are looked up.
result<socket_address> resolve(std::string_view host_and_port);
/// The address `count` hosts behind a numeric IPv4 one, port 0: for agents that each have their own.
result<socket_address> source_address(std::string_view first, std::uint32_t count);

/// A descriptor that closes itself.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) noexcept
      : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~file_descriptor() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

private:
  int fd_ = -1;
};

/// Begins a non-blocking connection; it is made, or has failed, when the socket becomes writable.
result<file_descriptor> begin_connect(const socket_address& to, const socket_address* from = nullptr);
/// The outcome of a connection that was begun: 0 or an errno value.
int connect_outcome(int fd) noexcept;

/// Waits until the socket is readable (or writable). False: the deadline, in steady milliseconds, has passed.
bool wait_readable(int fd, std::int64_t deadline_ms) noexcept;
bool wait_writable(int fd, std::int64_t deadline_ms) noexcept;

/// Bytes in the send queue that the peer's kernel has not acknowledged.
std::size_t unacknowledged_bytes(int fd) noexcept;

} // namespace picket::agentsim
