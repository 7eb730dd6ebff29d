#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/peer/lanes.hpp"
#include "actors/peer/peer_connection.hpp"
#include "actors/peer/redial.hpp"
#include "net/dialer.hpp"
#include "net/listener.hpp"

namespace picket::peer {

struct link_options {
  protocol::peer::hello own;            ///< cluster, node, name, version, range, boot, capabilities
  net::endpoint listen;                 ///< port 0: the system chooses, for tests
  net::node_tls_files tls;              ///< own certificate and key, the cluster's CA
  std::string ca;                       ///< PEM of the CA
  std::int64_t connect_ms = 1'000;      ///< for TCP, TLS and the hellos together
  int user_timeout_ms = 3'000;          ///< TCP_USER_TIMEOUT
  std::int64_t write_stuck_ms = 10'000; ///< a peer that takes no byte for so long is let go
  redial_limits redials;
  lane_limits lanes;
  std::size_t max_connections = 512; ///< in all, those without a hello among them
  std::size_t max_connections_per_address = 64;
  std::uint32_t seed = 1; ///< of the pauses between dials
};

/// Why connections were not taken, or ended.
struct link_failures {
  std::uint64_t dial = 0;      ///< no connection, or none in time
  std::uint64_t handshake = 0; ///< TLS failed, or did not end in time
  std::uint64_t untrusted = 0; ///< certificate of no member, of a removed one, or one that is not its own
  std::uint64_t hello = 0;     ///< the hello did not fit, or did not come in time
  std::uint64_t duplicate = 0; ///< another connection of the pair is kept
  std::uint64_t lost = 0;      ///< was up and ended
};

/// Of one other node.
struct link_figures {
  bool up = false;
  std::int64_t up_for_ms = 0;
  std::uint64_t connected = 0; ///< how often a connection was up
  std::array<lane_figures, lane_count> sent;
  struct received {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
  };
  std::array<received, lane_count> got; ///< by the lane on which the other side should have sent it
  std::uint64_t skipped_frames = 0;     ///< of a type or version that is not known here
};

/// What is told of links. All calls come on the I/O thread, and may call back into `peer_links`.
struct link_events {
  /// The link to a node stands. Comes again without a `down` between when a newer connection took its place:
  /// what had been sent on the older one may be lost. A later boot tells that the node was restarted.
  std::function<void(std::uint32_t node, const protocol::peer::hello&)> up;
  /// It is gone; what waited to be sent is lost. It is dialled again until `set_peers` leaves it out.
  /// `said`: the cause that the other node gave (`leaving`: it stops), `other` if it gave none.
  std::function<void(std::uint32_t node, protocol::peer::close_cause said, const std::string& why)> down;
  std::function<void(std::uint32_t node, protocol::peer::message&&)> message;
  /// Bulk has room again, after a message was refused.
  std::function<void(std::uint32_t node)> room;
  /// For the log: an attempt that led to no link. Rate-limit it. `node`: 0 if it is not known.
  std::function<void(std::uint32_t node, const std::string& why)> refused;
};

/// The connections of this node to the others: dials, accepts, checks who it is, keeps one for each pair,
/// sends by lane, dials again. Everything runs on one I/O thread; others use `io_thread::post`.
///
/// Delivery: at most once. A link that goes down loses what waits and what is on its way; requests have time
/// limits for that. Bounds: `lanes` for each link, `max_connections`.
class peer_links final : private connection_owner {
public:
  enum class put { taken, busy, not_connected };

  /// Asked at every connect, and at `check_members`: who is this node? Nothing: no member. Must not block.
  using member_lookup = std::function<std::optional<net::member_identity>(std::uint32_t node)>;

  /// Listens; call from anywhere. Errors: address_in_use, io, certificate_invalid.
  static result<std::unique_ptr<peer_links>> open(net::io_thread& thread, link_options options,
                                                  member_lookup members, link_events events);
  ~peer_links() override;

  // -- on the thread from here on

  /// Begins to accept, and to dial those of `set_peers`. Errors: io.
  result<void> start();
  /// Tells all that this node leaves, and ends everything. Needed before the end, unless never started.
  void stop();

  /// Whom to dial, and where. A node that is left out is dialled no more; its connection stays, see
  /// `check_members`. This node's own id is passed over.
  void set_peers(const std::map<std::uint32_t, net::endpoint>& peers);
  /// Asks `member_lookup` for everybody who is connected, and cuts who is no member any more, or whose
  /// certificate has expired. Call it when the members change, and now and then.
  void check_members();
  /// Cuts one link, with this cause; it is dialled again if it is one of `set_peers`.
  void cut(std::uint32_t node, protocol::peer::close_cause cause, const std::string& text);
  /// Another certificate for connections from now on; those that stand go on. Errors: certificate_invalid;
  /// the old one stays.
  result<void> renew(const net::node_tls_files& files);

  put send_heartbeat(std::uint32_t node, const protocol::peer::message& beat);
  put send_control(std::uint32_t node, const protocol::peer::message& what);
  put send_bulk(std::uint32_t node, const protocol::peer::message& what);

  bool is_up(std::uint32_t node) const;
  std::vector<std::uint32_t> up() const;
  std::map<std::uint32_t, link_figures> figures() const;
  const link_failures& failures() const noexcept { return failures_; }
  /// The address really bound.
  const net::endpoint& where() const noexcept { return listener_->where(); }

private:
  struct link;

  peer_links(net::io_thread& thread, link_options options, member_lookup members, link_events events);
  link& link_to(std::uint32_t node);
  void dial(link& to);
  void dialled(std::uint32_t node, std::int64_t began_ms, result<std::shared_ptr<net::connection>> got);
  void dial_later(link& to, std::int64_t stood_ms);
  void stop_dialling(link& to);
  void pump(link& to);
  put put_in(std::uint32_t node, const std::function<bool(lanes&)>& how);
  void refused(std::uint32_t node, const std::string& why);
  void count_failure(const peer_connection& which);
  net::connection_options connection_options() const;

  result<net::certificate_facts> identify(const std::string& certificate) override;
  const protocol::peer::hello& own_hello() const override { return options_.own; }
  std::optional<protocol::peer::close_cause> admit(peer_connection& which) override;
  void on_up(peer_connection& which) override;
  void on_message(peer_connection& which, protocol::peer::message&& what) override;
  void on_frame(peer_connection& which, std::uint8_t type, std::size_t bytes, bool known) override;
  void on_writable(peer_connection& which) override;
  void on_gone(peer_connection& which, const std::string& why) override;

  net::io_thread& thread_;
  link_options options_;
  member_lookup members_;
  link_events events_;
  std::shared_ptr<net::tls_context> client_tls_;
  std::unique_ptr<net::listener> listener_;
  std::map<std::uint32_t, std::unique_ptr<link>> links_;
  /// Connections without a place in a link yet: accepted ones before their hello.
  std::map<peer_connection*, std::shared_ptr<peer_connection>> strangers_;
  link_failures failures_;
  bool running_ = false;
};

} // namespace picket::peer
