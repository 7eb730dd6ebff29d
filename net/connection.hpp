#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "net/address.hpp"
#include "net/io_thread.hpp"

namespace picket::net {

class connection;
class tls_session;

struct connection_options {
  std::size_t write_limit_bytes = 256 * 1024;
  std::int64_t write_stuck_ms = 5'000;
  /// A busy connection is read again only so long after its last read, so that frames come several at a time;
  /// one that was quiet is read at once. 0: never waits.
  std::int64_t read_interval_ms = 0;
  /// Bytes that the peer's kernel has not taken for so long break the connection. 0: the system's own limit.
  int user_timeout_ms = 0;
  /// The kernel takes no more while it holds so many bytes that are not yet on their way, so that what is
  /// sent next does not stand behind megabytes. 0: as many as fit into its buffer.
  int kernel_unsent_bytes = 0;
};

/// Unique in the process and never used again.
using connection_token = std::uint64_t;

enum class close_reason : std::uint8_t {
  by_us,         ///< `close` was called
  by_peer,       ///< end of the stream, everything read
  reset,         ///< the connection broke
  deadline,      ///< a time limit of the connection passed
  stuck_writing, ///< the peer did not take a frame within the write limit
  tls            ///< the handshake or a record failed
};

std::string_view name_of(close_reason reason) noexcept;

/// Takes what a connection brings. All calls come on the connection's I/O thread.
class connection_handler {
public:
  virtual ~connection_handler() = default;

  /// Bytes that arrived, those that were left over before them included. Returns how many are done with; the
  /// rest is offered again together with what comes next. May close the connection.
  virtual std::size_t on_data(connection& from, byte_view bytes) = 0;
  /// The connection can be used: at once, or after the TLS handshake. Nothing was offered before. May close
  /// it.
  virtual void on_ready(connection&) {}
  /// All that was queued has been handed to the kernel, after some of it had to wait.
  virtual void on_drained(connection&) {}
  /// The peer sends no more; all its bytes have been offered. The connection closes when what is queued
  /// has been written.
  virtual void on_end(connection&) {}
  /// The last call; the connection is gone when it returns.
  virtual void on_closed(connection&, close_reason) {}
};

/// One TCP connection of an I/O thread, plain or TLS. Everything here runs on that thread.
///
/// Bounds: what the handler leaves (`left_over_limit_bytes`; more closes the connection) and what waits to be
/// written (`write_limit_bytes`; more is refused). A frame is queued whole or not at all; a peer that takes
/// no byte of a begun frame for `write_stuck_ms` is closed, since half a frame would hang an agent for ever.
class connection final : public io_source, public std::enable_shared_from_this<connection> {
public:
  static constexpr std::size_t left_over_limit_bytes = 256 * 1024;
  static constexpr std::size_t read_at_once_bytes = 64 * 1024;
  static constexpr std::size_t kept_buffer_bytes = 4 * 1024; ///< of an empty buffer; more is given back

  connection(io_thread& thread, int fd, endpoint peer, std::unique_ptr<tls_session> tls,
             connection_options options);
  ~connection() override;

  /// Begins to read. `handler` must outlive the connection or be owned through `shared_handler`.
  void open(std::shared_ptr<connection_handler> handler);

  connection_token token() const noexcept { return token_; }
  const endpoint& peer() const noexcept { return peer_; }
  io_thread& thread() noexcept { return thread_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  /// False: half-closed, or the peer is gone; `send` refuses everything.
  bool takes_writes() const noexcept { return fd_ >= 0 && !no_more_writes_; }
  connection_handler* handler() const noexcept { return handler_.get(); }

  /// Queues the bytes as one frame. False, and nothing queued, if the limit would be passed, or after
  /// `half_close` or the close.
  bool send(byte_view frame);
  bool send(std::string_view frame) { return send(as_bytes(frame)); }

  /// Queued, and not yet handed to the kernel.
  std::size_t unsent_bytes() const noexcept { return to_write_.size() - written_; }

  /// The peer's certificate as DER, after the handshake; empty if it showed none.
  std::string peer_certificate() const;
  /// Why TLS failed, for people; empty if it did not.
  std::string tls_failure() const;

  /// Stops and resumes reading; the kernel's buffer fills meanwhile. Left-over bytes are offered at once on
  /// resume.
  void pause();
  void resume();
  bool paused() const noexcept { return paused_; }

  /// Offers what has already arrived, at most `last_reads` buffers of it: before an end that cannot wait.
  bool read_what_is_there();
  static constexpr int last_reads = 64;

  /// Sends no more, after what is queued; reads on until the peer ends as well.
  void half_close();
  /// Ends it when all that is queued has been written, at the latest after the write limit.
  void close_after_write();
  /// Ends it now. Bytes that the peer has sent and that were not read are lost.
  void close(close_reason reason = close_reason::by_us);

  /// Closes with reason `deadline` unless set again within `limit_ms`; 0 takes the limit away. It begins anew
  /// where it ends during a pause: what the peer has sent then waits for us.
  void set_deadline(std::int64_t limit_ms);

  /// Steady clock of the last byte from the peer.
  std::int64_t last_byte_ms() const noexcept { return last_byte_ms_; }

  void on_events(std::uint32_t events) override;

private:
  friend class tls_session;

  void update_interest();
  void read_some();
  void rest_if_busy();
  /// Hands left-over and new bytes to the handler. False: the connection is closed.
  bool offer(byte_view fresh);
  void flush();
  void peer_ended();
  bool handshake();
  long read_raw(std::byte* into, std::size_t size, bool& end, bool& broken);
  long write_raw(const std::byte* from, std::size_t size, bool& broken);

  io_thread& thread_;
  int fd_;
  endpoint peer_;
  connection_token token_;
  std::unique_ptr<tls_session> tls_;
  std::shared_ptr<connection_handler> handler_;
  std::vector<std::byte> left_over_;
  std::vector<std::byte> to_write_;
  std::size_t written_ = 0;
  std::int64_t last_byte_ms_ = 0;
  timer_id deadline_ = 0;
  std::uint64_t deadlines_set_ = 0;
  timer_id stuck_ = 0;
  timer_id rest_ = 0;
  std::int64_t last_read_ms_ = 0;
  connection_options options_;
  std::uint32_t interest_ = 0;
  bool paused_ = false;
  bool watched_ = false;
  bool ended_ = false; ///< the peer sends no more
  bool no_more_writes_ = false;
  bool shut_ = false; ///< SHUT_WR was done
  bool close_when_written_ = false;
  bool offering_ = false;
};

} // namespace picket::net
