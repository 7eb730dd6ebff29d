#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/registry/rows.hpp"
#include "store/registry/view.hpp"

namespace picket::store {

/// One batch as it is committed: all or nothing. No key stands twice in it.
struct registry_batch {
  std::vector<row_write> writes;
  protocol::head_row head;
  protocol::log_row log;
  /// Rows of the log from the first up to, not with, the second sequence go. Equal: none.
  std::uint64_t trim_log_from = 0;
  std::uint64_t trim_log_to = 0;
};

/// What one revision of the store changed, all of it.
struct revision_changes {
  std::uint64_t revision = 0;
  std::vector<row_write> rows;

  friend bool operator==(const revision_changes&, const revision_changes&) = default;
};

/// The batch as rows, the head last; trimmed rows of the log one by one.
std::vector<row_write> rows_of(const registry_batch& batch);

/// Where a copy of the registry stands in the store. On a single node both revisions are the head's sequence.
struct replica_mark {
  std::string cluster;             ///< names the store; empty: the tables are the store
  std::uint64_t applied = 0;       ///< up to this revision of the store every change is in the tables
  std::uint64_t head_revision = 0; ///< the head was written at this one; 0: there is no head yet

  friend bool operator==(const replica_mark&, const replica_mark&) = default;
};

} // namespace picket::store
