#pragma once

#include <vector>

#include "actors/registry/decide.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::registry {

/// One command's fate within a batch.
struct batched_command {
  protocol::command_result result;
  bool repeated = false; ///< its request id was known; the stored result stands
};

struct decided_batch {
  store::registry_batch batch;
  std::vector<batched_command> commands; ///< one for each command, in order
  bool changes_anything = false;         ///< false: nothing to commit, every command was a repeat
};

/// Decides commands one after the other, each on what the ones before it leave, and gathers one batch
/// (registry.md 3.1). A request id that was seen, in the tables or earlier in this batch, gets its first
/// result. `wall_ms`: clock of this node; the batch's time never runs backwards.
decided_batch decide_batch(const store::registry_view& view,
                           const std::vector<const protocol::command*>& commands, decide_context context,
                           std::int64_t wall_ms);

} // namespace picket::registry
