#pragma once

#include <string>

namespace picket {

/// What the node presents itself as to agents (agent-protocol.md 3.4).
inline constexpr const char* agent_facing_version = "v4.14.7";

/// The machine's host name up to its first dot.
std::string host_name();

/// 64 lower-case hex digits from the system's generator: an agent's key.
std::string draw_agent_key();

} // namespace picket
