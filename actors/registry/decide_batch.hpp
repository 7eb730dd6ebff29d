#pragma once

#include <limits>
#include <vector>

#include "actors/registry/decide.hpp"
#include "store/registry/changes.hpp"

namespace picket::registry {

/// How much one batch may hold (registry.md 1.5). What does not fit is left for the next one; a single
/// command is taken whatever its size.
struct batch_limits {
  std::size_t rows = std::numeric_limits<std::size_t>::max(); ///< besides the log's and the head's
  std::size_t bytes = std::numeric_limits<std::size_t>::max();
};
/// Under etcd's limits of 128 operations and 1.5 MiB.
inline constexpr batch_limits shared_limits{120, 512U << 10U};

/// One command's fate within a batch.
struct batched_command {
  protocol::command_result result;
  bool repeated = false; ///< its request id was known; the first result stands
  bool stored = false;   ///< and that result is in the tables already, whatever becomes of this batch
};

struct decided_batch {
  store::registry_batch batch;
  std::vector<batched_command> commands; ///< one for each command that was taken, in order
  bool changes_anything = false;         ///< false: nothing to commit, every command was a repeat
  bool log_full = false;                 ///< the log is at its limit; nothing was decided
};

/// Decides commands one after the other, each on what the ones before it leave, and gathers one batch
/// (registry.md 3.1). A request id that was seen, in the tables or earlier in this batch, gets its first
/// result. `wall_ms`: clock of this node; the batch's time never runs backwards. Trims the log.
decided_batch decide_batch(const store::registry_view& view,
                           const std::vector<const protocol::command*>& commands, decide_context context,
                           std::int64_t wall_ms, const batch_limits& limits = {});

} // namespace picket::registry
