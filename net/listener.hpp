#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>

#include "base/error.hpp"
#include "net/connection.hpp"
#include "net/limits.hpp"
#include "net/proxy_greeting.hpp"
#include "net/tls.hpp"

namespace picket::net {

/// Accepts connections on one address for one I/O thread. Several threads may listen on one address.
///
/// A connection from one of `proxies` must begin with a PROXY header; its peer is whom that names, and
/// admission and the limits of addresses ask for that one. What names nobody, a balancer's own check, keeps
/// the balancer's address and is held against no address. From anywhere else a header is bytes like others.
class listener final : public io_source {
public:
  struct options {
    endpoint where;
    int backlog = 4096;
    connection_options connections;
    bool shared_port = false; ///< several listeners of this process share the port; connections are spread
    std::shared_ptr<tls_context> tls;          ///< null: plain TCP
    std::shared_ptr<connection_limits> limits; ///< shared by all listeners of one port
    std::vector<address_range> proxies;        ///< balancers that send a PROXY header
    std::int64_t proxy_header_ms = 5'000;      ///< in which it has to come
    /// Asked before anything is done for a connection, of a balancer's when its client is known; a reason
    /// refuses it.
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
  /// A connection that is worth less than the newcomer goes: one that `make_room` finds, else the one that
  /// has waited for its PROXY header for longest. False: there is none.
  bool make_room(const ip_address& newcomer);
  bool nameless_place(const ip_address& balancer);
  void give_back(const ip_address& peer, bool named);
  void refuse(int fd, refusal reason, const ip_address& from);
  void greet(int fd, const endpoint& balancer);
  void greeted(proxy_greeting& from, proxy_greeting::outcome how);
  void end_oldest_greeting();
  /// Makes the connection. `named`: its place counts for the peer's address.
  void open_one(int fd, const endpoint& peer, bool named);
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
  std::list<std::shared_ptr<proxy_greeting>> greetings_; ///< oldest first; each has a place of the limits
};

} // namespace picket::net
