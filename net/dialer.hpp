#pragma once

#include <functional>
#include <memory>

#include "base/error.hpp"
#include "net/connection.hpp"
#include "net/tls.hpp"

namespace picket::net {

/// Opens one TCP connection without blocking. Lives on its I/O thread.
class dialer final : public io_source, public std::enable_shared_from_this<dialer> {
public:
  struct options {
    endpoint where;
    std::int64_t limit_ms = 1'000;    ///< for the TCP connection; a TLS handshake comes after it
    std::shared_ptr<tls_context> tls; ///< of a client; null: plain TCP
    connection_options connections;
  };
  /// The connection, not yet opened, or why there is none. Errors: timeout, io.
  using taker = std::function<void(result<std::shared_ptr<connection>>)>;

  /// Begins. `take` is called once, later and on the thread, unless `cancel` comes before.
  static std::shared_ptr<dialer> dial(io_thread& thread, options opts, taker take);
  ~dialer() override;

  void cancel();
  void on_events(std::uint32_t events) override;

private:
  dialer(io_thread& thread, options opts, taker take);
  void begin();
  void finish(result<std::shared_ptr<connection>> outcome);
  void refused(int error_number);

  io_thread& thread_;
  options options_;
  taker take_;
  int fd_ = -1;
  bool watched_ = false;
  timer_id timer_ = 0;
};

} // namespace picket::net
