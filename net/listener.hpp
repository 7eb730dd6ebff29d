#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/error.hpp"
#include "net/connection.hpp"
#include "net/limits.hpp"
#include "net/tls.hpp"

namespace picket::net {

/// Accepts connections on one address for one I/O thread. Several threads may listen on one address.
class listener final : public io_source {
public:
  struct options {
    endpoint where;
    int backlog = 4096;
    connection_options connections;
    bool shared_port = false; ///< several listeners of this process share the port; connections are spread
    std::shared_ptr<tls_context> tls;          ///< null: plain TCP
    std::shared_ptr<connection_limits> limits; ///< shared by all listeners of one port
    /// Asked before anything is done for a connection; a reason refuses it.
    std::function<std::optional<refusal>(const ip_address&)> admit;
    /// Asked when the port is full, for a newcomer: tells a connection that is worth less to go. False: there
    /// is none.
    std::function<bool(const ip_address&)> make_room;
    /// Told of every connection that found no place here; not of those that the opener refused.
    std::function<void(refusal, const ip_address&)> on_refused;
  };
  /// Gives the handler of a new connection; null refuses it.
  using opener = std::function<std::shared_ptr<connection_handler>(connection&)>;

  /// Binds and listens. Call from anywhere; accepting starts with `start`. Errors: address_in_use, io.
  static result<std::unique_ptr<listener>> open(io_thread& thread, options opts, opener open_connection);
  ~listener() override;

  /// On the thread: begins to accept.
  result<void> start();
  /// On the thread: accepts no more; connections go on.
  void stop();
  /// On the thread: what connections from now on get; not for a listener without TLS.
  void set_tls(std::shared_ptr<tls_context> tls) { options_.tls = std::move(tls); }
  /// On the thread: calls `visit` for each open connection.
  void for_each(const std::function<void(connection&)>& visit);
  /// On the thread: the connection with this token, or null.
  connection* find(connection_token token) const;

  /// The address really bound (port 0 resolved).
  const endpoint& where() const noexcept { return where_; }

  void on_events(std::uint32_t events) override;

private:
  listener(io_thread& thread, int fd, options opts, opener open_connection);
  void take(int fd, const endpoint& peer);
  /// Nothing: the connection has its place.
  std::optional<refusal> place_for(const ip_address& peer);
  void wait_for_descriptors();
  class guard;

  io_thread& thread_;
  int fd_;
  options options_;
  opener open_connection_;
  endpoint where_;
  bool accepting_ = false;
  timer_id retry_ = 0;
  std::unordered_map<connection_token, std::shared_ptr<connection>> open_;
};

} // namespace picket::net
