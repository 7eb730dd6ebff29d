#pragma once

#include "engine/event/event.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace picket::engine {

/// A message of the internal queue form `Q:LOCATION:TEXT` (decoders.md 3.1).
struct queue_message {
  char queue = '1';
  std::string location;  ///< escapes undone, at most 8,450 bytes
  std::string_view text; ///< view into the message
};

enum class message_defect {
  too_short,   ///< less than four bytes
  no_location, ///< no colon behind the location that is not escaped
  open_agent   ///< the location begins with `[` and lacks `]`
};

tl::expected<queue_message, message_defect> split_message(std::string_view message);

/// What a location says (decoders.md 3.6).
struct location_parts {
  std::string agent_id;                      ///< "000" for the manager
  std::optional<std::string> agent_name;     ///< absent: none is shown; for the manager always absent
  std::optional<std::string> agent_ip;       ///< absent also for "any"
  std::optional<std::string> alert_location; ///< as alerts print it; absent: not printed
  std::string rule_location;                 ///< as rules see it
  bool from_agent = false;                   ///< began with `[`: the host name of the log is not used
  bool named_by_host = false; ///< `(name) ip->path` without an id: alerts show the host name as agent name
};

tl::expected<location_parts, message_defect> split_location(std::string_view location);

/// The node's own name up to its first dot: what rules see as host name of events that bring none.
std::string_view short_name(std::string_view host) noexcept;

/// A source for events that come with a location text (log-test, internal messages). `manager_name` is the
/// node's.
tl::expected<source, message_defect> make_source(std::string_view location, std::string_view manager_name);

/// A source for events of an enrolled agent. `registered_ip` is "any" or an address: rules see it in the
/// location.
source make_agent_source(std::string_view id, std::string_view name, std::string_view registered_ip,
                         std::string_view path, std::string_view manager_name);

} // namespace picket::engine
