#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "net/connection.hpp"
#include "net/node_certificate.hpp"
#include "protocol/peer/frame.hpp"
#include "protocol/peer/messages.hpp"
#include "protocol/peer/parts.hpp"

namespace picket::peer {

class peer_connection;

/// What a connection asks and tells; all on its I/O thread.
class connection_owner {
public:
  virtual ~connection_owner() = default;

  /// Who has shown this certificate? Errors: peer_untrusted, not_a_member.
  virtual result<net::certificate_facts> identify(const std::string& certificate) = 0;
  virtual const protocol::peer::hello& own_hello() const = 0;
  /// Both hellos fit; is it to be this connection? A cause refuses it. Asked once, and of the accepting side
  /// before its own hello goes out.
  virtual std::optional<protocol::peer::close_cause> admit(peer_connection& which) = 0;
  /// Frames may go out and come in.
  virtual void on_up(peer_connection& which) = 0;
  virtual void on_message(peer_connection& which, protocol::peer::message&& what) = 0;
  /// A frame came, in front of what it holds; `known`: its type and version are known here.
  virtual void on_frame(peer_connection& which, std::uint8_t type, std::size_t bytes, bool known) = 0;
  /// The connection can take more.
  virtual void on_writable(peer_connection& which) = 0;
  /// It is over; nothing comes of it any more. Told once, whether it was up or not.
  virtual void on_gone(peer_connection& which, const std::string& why) = 0;
};

/// One connection between nodes: TLS, who it is, the two hellos, then frames. The accepting side answers the
/// hello of the dialling one.
///
/// Bound: what one frame needs of bytes that are not whole, and one message that comes in parts.
class peer_connection final : public net::connection_handler,
                              public std::enable_shared_from_this<peer_connection> {
public:
  /// `expected`: id of the node that was dialled; 0: the other side dialled. The owner must outlive it, or
  /// call `forget_owner`.
  peer_connection(connection_owner& owner, std::uint32_t expected);

  /// Begins; what is left of the time limit for TLS and the hellos.
  void open(std::shared_ptr<net::connection> over, std::int64_t limit_ms);
  /// The same for one that a listener has accepted and opens itself.
  void accept(net::connection& over, std::int64_t limit_ms);

  /// Says why, as far as the kernel takes it now, and closes; `on_gone` comes during the call.
  void end(protocol::peer::close_cause cause, const std::string& text);
  /// Closes without a word to anybody.
  void forget_owner();

  bool dialled_by_us() const noexcept { return expected_ != 0; }
  bool is_up() const noexcept { return state_ == state::up; }
  /// Of the other node; 0 before it is known.
  std::uint32_t node() const noexcept { return facts_.node; }
  const net::certificate_facts& facts() const noexcept { return facts_; }
  /// Of the other node; empty before it came.
  const protocol::peer::hello& greeting() const noexcept { return greeting_; }
  /// Why it ended, as one side said; nothing: the socket ended.
  std::optional<protocol::peer::close_cause> cause() const noexcept { return cause_; }
  bool ended_by_them() const noexcept { return by_them_; }
  /// Nothing that was sent waits for the kernel.
  bool can_take() const noexcept;
  /// False: it is over.
  bool send(const std::string& frame);
  std::int64_t last_byte_ms() const noexcept;

  void on_ready(net::connection& from) override;
  std::size_t on_data(net::connection& from, byte_view bytes) override;
  void on_drained(net::connection& from) override;
  void on_closed(net::connection& from, net::close_reason reason) override;

private:
  enum class state { fresh, greeting, up, over };

  /// False: it is over.
  bool take(const protocol::peer::frame& one);
  bool take(protocol::peer::message&& what);
  bool take_hello(protocol::peer::hello&& theirs);
  bool take_part(protocol::peer::part&& piece);
  void finish(const std::string& why);

  connection_owner* owner_;
  std::uint32_t expected_;
  net::connection* over_ = nullptr;        ///< null when it is gone
  std::shared_ptr<net::connection> owned_; ///< of a connection that we dialled
  state state_ = state::fresh;
  net::certificate_facts facts_;
  protocol::peer::hello greeting_;
  std::optional<protocol::peer::close_cause> cause_;
  bool by_them_ = false;
  protocol::peer::frame_cutter cutter_;
  protocol::peer::part_reader parts_;
};

} // namespace picket::peer
