#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "protocol/peer/messages.hpp"

namespace picket::protocol::peer {

/// Most bytes of the whole that one piece carries: what a heartbeat may have to wait for.
inline constexpr std::size_t max_part_bytes = 32 * 1024;

/// A message on its way out, piece by piece.
class part_writer {
public:
  part_writer(std::uint64_t number, std::uint8_t type, std::string body)
      : number_{number}
      , type_{type}
      , body_{std::move(body)} {}

  /// The frame of the next piece. @pre `more()`.
  std::string next();
  bool more() const noexcept { return at_ < body_.size(); }
  std::size_t left_bytes() const noexcept { return body_.size() - at_; }

private:
  std::uint64_t number_;
  std::uint8_t type_;
  std::string body_;
  std::size_t at_ = 0;
};

/// A message that has come whole.
struct assembled {
  std::uint8_t version = 0;
  std::uint8_t type = 0;
  std::string body;
};

/// Puts pieces together again. Holds one message at most, and of it what has come: never more than
/// `max_message_bytes`.
class part_reader {
public:
  /// The message, if this was its last piece. Errors: corrupt (a piece that does not follow the one before
  /// it); the connection cannot be believed any more.
  result<std::optional<assembled>> take(part piece);

  std::size_t buffered_bytes() const noexcept { return body_.size(); }

private:
  bool begun_ = false;
  std::uint64_t last_message_ = 0; ///< number of the newest message; 0: none yet
  part head_;                      ///< of the message that has begun, without its bytes
  std::string body_;
};

} // namespace picket::protocol::peer
