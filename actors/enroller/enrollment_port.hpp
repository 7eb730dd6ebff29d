#pragma once

#include <memory>
#include <string>

#include "actors/enroller/interface.hpp"
#include "actors/telemetry/metrics.hpp"
#include "actors/telemetry/refusal_tally.hpp"
#include "base/telemetry/event_log.hpp"
#include "net/address_guard.hpp"
#include "net/listener.hpp"
#include "net/tls.hpp"

namespace picket {

struct enrollment_port_options {
  net::endpoint where;
  std::shared_ptr<net::tls_context> tls;
  std::size_t max_exchanges = 1'000;
  std::size_t max_exchanges_per_address = 0; ///< 0: no limit
  std::int64_t exchange_limit_ms = 10'000;
  net::address_guard_limits rates;         ///< of new connections, from one address and in all
  std::vector<net::address_range> proxies; ///< balancers whose connections begin with a PROXY header …
  std::int64_t proxy_header_ms = 5'000;    ///< … within so long
};

/// The sockets of the enrollment port: one thread, TLS, one line in, one answer out, all within one time
/// limit. When there are as many as there may be, the one that has not made its request for longest goes.
class enrollment_port {
public:
  /// Errors: address_in_use, io.
  static result<std::unique_ptr<enrollment_port>> open(enrollment_port_options options,
                                                       enroller_actor enroller,
                                                       std::shared_ptr<const metrics> counts,
                                                       std::shared_ptr<event_log> log);
  ~enrollment_port();

  /// Accepts no more and ends what is open.
  void stop();
  const net::endpoint& where() const noexcept { return listener_->where(); }
  std::size_t open_exchanges() const noexcept { return limits_->open(); }

private:
  enrollment_port() = default;
  std::unique_ptr<net::io_thread> thread_;
  std::unique_ptr<net::listener> listener_;
  std::shared_ptr<net::connection_limits> limits_;
};

} // namespace picket
