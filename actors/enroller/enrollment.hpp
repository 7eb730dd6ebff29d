#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "net/address.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/registry/commands.hpp"
#include "store/registry/view.hpp"

namespace picket {

/// The settings of `enrollment.*` that decide over a request.
struct enrollment_policy {
  std::string password; ///< empty: none is needed
  bool use_source_ip = false;
  std::int64_t repeat_window_s = 600; ///< 0: no repeats
  protocol::force_policy force;
  protocol::version_policy versions;
};

/// What a request asks the registry for, or the text that refuses it (agent-protocol.md 1.3 to 1.9).
struct enrollment_refusal {
  std::string text;   ///< as the agent is told, without "ERROR: " and the rest
  std::string reason; ///< for the log
};

/// Reads a line and checks all that needs no table. `draw_key`: a fresh key.
tl::expected<protocol::agent_add, enrollment_refusal>
read_enrollment(std::string_view line, const net::ip_address& source, const enrollment_policy& policy,
                const std::function<std::string()>& draw_key);

/// The agents that stand in the way of a request, by name or by address: whose state the registry must know.
std::vector<agent_id> agents_in_the_way(const store::registry_view& view, const protocol::agent_add& add);

} // namespace picket
