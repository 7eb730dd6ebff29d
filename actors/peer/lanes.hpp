#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/peer/parts.hpp"

namespace picket::peer {

enum class lane : std::uint8_t { heartbeat, control, bulk };
inline constexpr std::size_t lane_count = 3;
/// As the metrics label it.
std::string_view name_of(lane which) noexcept;

struct lane_limits {
  std::size_t control_bytes = 4 * 1024 * 1024;
  /// Not below `protocol::peer::max_message_bytes`: else the largest message never fits.
  std::size_t bulk_bytes = 32 * 1024 * 1024;
};

struct lane_figures {
  std::uint64_t sent_frames = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t replaced = 0; ///< heartbeats that a newer one took the place of
  std::uint64_t refused = 0;  ///< messages for which there was no room
  std::uint64_t lost = 0;     ///< messages that waited, or had gone out in part, when the connection ended
  std::size_t queued_messages = 0;
  std::size_t queued_bytes = 0;

  friend bool operator==(const lane_figures&, const lane_figures&) = default;
};

/// What waits to be sent on one connection between nodes. Pure: it is asked for the next frame whenever the
/// connection can take one.
///
/// Order: a heartbeat first, then control, then bulk; within a lane first in, first out. Bulk goes out in
/// pieces of 32 KiB, so nothing waits for more than one of them. A steady stream of control messages can hold
/// up bulk for ever; their bound, and that somebody waits for their answers, keeps it from being steady.
///
/// Bounds: one heartbeat, the newest; `control_bytes`, beyond it a message is refused: answer `busy`;
/// `bulk_bytes`, beyond it a message is refused, and `on_room` is called when half of the bound is free
/// again.
class lanes {
public:
  explicit lanes(lane_limits limits, std::function<void()> on_room = {});

  /// Each of the three takes a whole message, no hello and no part.
  void put_heartbeat(const protocol::peer::message& beat);
  /// False: no room, or the message is larger than a frame. Send it as bulk then.
  bool put_control(const protocol::peer::message& what);
  /// False: no room; wait for `on_room`. Also false, and no room will help, for more than
  /// `max_message_bytes`.
  bool put_bulk(const protocol::peer::message& what);

  bool empty() const noexcept;
  /// The frame that goes out next; nothing if nothing waits.
  std::optional<std::string> next();

  /// The connection has ended: all that waits is lost. The figures stay.
  void clear();

  const lane_figures& figures(lane which) const noexcept { return figures_[static_cast<std::size_t>(which)]; }

private:
  struct waiting {
    std::uint8_t type = 0;
    std::string body;
  };
  lane_figures& of(lane which) noexcept { return figures_[static_cast<std::size_t>(which)]; }
  std::string sent(lane which, std::string frame, std::size_t freed_bytes, bool whole);
  std::optional<std::string> next_bulk();

  lane_limits limits_;
  std::function<void()> on_room_;
  bool room_wanted_ = false;
  std::optional<std::string> heartbeat_;
  std::deque<std::string> control_;
  std::deque<waiting> bulk_;
  std::optional<protocol::peer::part_writer> begun_;
  std::uint64_t last_message_ = 0;
  std::array<lane_figures, lane_count> figures_{};
};

} // namespace picket::peer
