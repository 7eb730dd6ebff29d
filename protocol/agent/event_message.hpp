#pragma once

#include "base/ids.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Event messages `<queue>:<location>:<text>` (agent-protocol 4.1, 4.3) and the ones that the server itself
/// injects about its agents (3.6).

namespace picket::protocol {

struct event_message {
  char queue = '1';
  std::string_view location; ///< as sent, escaped: `|:` and `||`
  std::string_view text;     ///< never escaped; may hold anything

  /// Dropped by the receiver without a word, as the reference does.
  bool is_keepalive_notice() const noexcept { return location.substr(0, 9) == "keepalive"; }
};

/// Views point into the message. Nothing if it is malformed: shorter than 4 bytes, no `:` as second byte, or
/// no unescaped `:` behind the location.
std::optional<event_message> parse_event_message(std::string_view message) noexcept;

std::string escape_location(std::string_view location);
/// A lone `|` before another character, which no agent sends, stays as it is.
std::string unescape_location(std::string_view escaped);

/// For the simulator: the whole message, location escaped.
std::string format_event_message(char queue, std::string_view location, std::string_view text);

/// `[<id>] (<name>) <registered ip>`: the tag that the server puts before the location, as analysis knows it.
std::string source_tag(std::string_view id, std::string_view name, std::string_view registered_address);

/// The node's own events about an agent.
enum class agent_notice : std::uint8_t {
  stopped,
  disconnected,
  removed,
  cloned ///< two machines use its key
};

struct notice_event {
  std::string location; ///< whole, not escaped, with the tag of the agent where it has one
  std::string text;
};

notice_event format_notice(agent_notice notice, std::string_view id, std::string_view name,
                           std::string_view registered_address);

} // namespace picket::protocol
