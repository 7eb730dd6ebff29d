#pragma once

#include <string>
#include <vector>

#include "protocol/registry/commands.hpp"
#include "store/registry/view.hpp"

namespace picket::registry {

inline constexpr std::size_t max_groups = 4'096;
/// Members that one `group_remove` may touch, so that a batch stays within its row limit.
inline constexpr std::size_t max_members_per_group_remove = 100;
/// Agents that one `agent_remove` may name; each is two rows of the 120 that a batch may have.
inline constexpr std::size_t max_ids_per_command = 60;
inline constexpr std::uint32_t known_schema = 1;

/// How long the log keeps the outcomes of commands: a row goes when it is older than `keep_ms` of the head's
/// time and not among the newest `keep_rows`.
struct log_policy {
  std::int64_t keep_ms = 0;
  std::uint64_t keep_rows = 65'536;
  std::uint64_t limit_bytes = 0; ///< above it no command is taken; 0: no limit
};
/// Of a registry that several nodes share (registry.md 1.2).
inline constexpr log_policy shared_log{15 * 60'000, 2'000, 64U << 20U};

/// What a decision knows besides the view.
struct decide_context {
  std::uint32_t node = 0;                ///< that decides
  std::int64_t time_ms = 0;              ///< max(wall clock, head.time_ms + 1)
  std::vector<std::string> server_names; ///< names that no agent may have
  std::size_t max_agents = 1'000'000;    ///< `limits.max_agents`
  log_policy log;
};

struct decision {
  std::vector<store::row_write> writes; ///< empty when refused, or when there was nothing to change
  protocol::head_row head;              ///< the head's counters after it; sequence and time are the batch's
  protocol::command_result result;
};

/// What a command does to the registry: a pure function, so that every node and back end decides alike
/// (registry.md 1). A refusal is a result with the number of an errc and a text; nothing is written then.
/// The text of a refused `agent_add` is what an enrolling agent is told (agent-protocol.md 1.6, 1.8, 1.9).
decision decide(const store::registry_view& view, const protocol::command& command,
                const decide_context& context);

} // namespace picket::registry
