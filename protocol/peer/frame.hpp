#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.hpp"

/// Frames between nodes: four bytes of length (little-endian, of what follows), one byte of version, one of
/// type, and a msgpack map. docs/peer-protocol.md describes the bytes.

namespace picket::protocol::peer {

inline constexpr std::size_t frame_length_bytes = 4;
inline constexpr std::size_t frame_head_bytes = 2; ///< version and type
/// Largest value of the length field. Room for a command of 64 KiB and what stands around it.
inline constexpr std::size_t max_frame_bytes = 72 * 1024;
/// Largest body of a message that is sent in parts, and of what comes out of them.
inline constexpr std::size_t max_message_bytes = 16 * 1024 * 1024;

/// One frame as it was cut; `body` points into somebody's bytes.
struct frame {
  std::uint8_t version = 0; ///< of this type's body
  std::uint8_t type = 0;
  std::string_view body; ///< a msgpack map
};

/// The bytes of a frame. @pre body is at most `max_frame_bytes - frame_head_bytes`.
std::string framed(std::uint8_t version, std::uint8_t type, std::string_view body);

/// Cuts frames out of bytes that come in pieces. Frames that lie whole in a piece are not copied; of one that
/// does not, what is there is kept: never more than `frame_length_bytes + max_frame_bytes`.
class frame_cutter {
public:
  /// Takes a frame; its body is valid during the call. False: wants no more of them.
  using taker = std::function<bool(const frame&)>;

  /// Hands each whole frame to `take`. Errors: corrupt (a frame too short for its head, or above the limit);
  /// nothing can be read behind it, and every later call fails likewise. False: `take` wanted no more; the
  /// rest of the bytes is thrown away, and so is what comes later.
  result<bool> feed(std::string_view bytes, const taker& take);

  /// What is kept of a frame that is not whole.
  std::size_t buffered_bytes() const noexcept { return begun_.size(); }

private:
  enum class state { reading, stopped, broken };

  /// Completes the frame that has begun, as far as `bytes` goes, and takes what it used off them.
  result<bool> complete(std::string_view& bytes, const taker& take);
  /// The frame's whole size with its length field; 0: more bytes are needed to know.
  result<std::size_t> size_of(std::string_view bytes);
  bool give(std::string_view whole, const taker& take);

  std::string begun_;
  state state_ = state::reading;
};

} // namespace picket::protocol::peer
