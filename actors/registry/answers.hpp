#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "protocol/registry/commands.hpp"
#include "store/registry/view.hpp"

namespace picket::registry {

/// How a proposal ended.
enum class proposed : std::uint8_t {
  ok,          ///< committed, and in this node's replica
  refused,     ///< decided against; `result` says why
  unavailable, ///< surely not done
  unknown,     ///< may have been done; ask `outcome` before repeating with another request id
  busy,        ///< the queue is full; surely not done
  too_late     ///< the deadline had passed before anything was tried
};

struct propose_answer {
  proposed how = proposed::unavailable;
  std::uint64_t revision = 0; ///< sequence of the batch that has it
  protocol::command_result result;
  bool repeated = false; ///< its request id was known; the first result stands
  bool visible = true;   ///< false: committed, but not in this node's replica within the time limit
};

/// Rows that one committed batch changed, in order.
struct registry_changes {
  std::uint64_t revision = 0;
  std::vector<store::row_write> rows;
};
using changes_ptr = std::shared_ptr<const registry_changes>;

/// What came of a command whose answer did not arrive.
enum class outcome_status : std::uint8_t {
  found,      ///< it was decided; `result` says how
  not_done,   ///< it was not done and never will be
  unavailable ///< cannot be told now
};

struct outcome_answer {
  outcome_status status = outcome_status::unavailable;
  std::uint64_t revision = 0; ///< up to which the log was looked through
  protocol::command_result result;
};

} // namespace picket::registry
