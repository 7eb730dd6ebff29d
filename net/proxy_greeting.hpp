#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/bytes.hpp"
#include "net/io_thread.hpp"
#include "net/proxy_protocol.hpp"

namespace picket::net {

/// A connection of a balancer whose PROXY header is awaited; what it becomes is made when that is there.
/// Takes the header off the socket and not a byte more: those belong to TLS, or to the connection's handler.
///
/// Bound: `max_proxy_header_bytes`, held only while a header comes in pieces, and the time limit. Runs on its
/// thread.
class proxy_greeting final : public io_source, public std::enable_shared_from_this<proxy_greeting> {
public:
  enum class outcome : std::uint8_t {
    complete, ///< `header` is there; `release` gives the descriptor
    bad,      ///< what came is no header
    late,     ///< it was not complete in time
    gone      ///< the peer ended the connection before it sent a byte
  };
  /// Called once; may drop the last reference to it.
  using done = std::function<void(proxy_greeting&, outcome)>;

  /// Owns `fd`, which must not block.
  proxy_greeting(io_thread& thread, int fd, endpoint balancer, done on_done);
  ~proxy_greeting() override;

  /// Begins to wait, at most `limit_ms`; may be done at once.
  void start(std::int64_t limit_ms);
  /// Ends it without a word.
  void abandon();

  const endpoint& balancer() const noexcept { return balancer_; }
  const proxy_header& header() const noexcept { return header_; }
  /// The descriptor, now the caller's.
  int release() noexcept;

  void on_events(std::uint32_t events) override;

private:
  /// Nothing: more has to come.
  std::optional<outcome> read();
  void finish(outcome how);

  io_thread& thread_;
  int fd_;
  endpoint balancer_;
  done on_done_;
  byte_buffer kept_; ///< of a header that comes in pieces
  proxy_header header_;
  timer_id limit_ = 0;
  bool watched_ = false;
};

} // namespace picket::net
