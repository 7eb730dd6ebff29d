#include "store/registry/changes.hpp"

namespace picket::store {

std::vector<row_write> rows_of(const registry_batch& batch) {
  auto rows = batch.writes;
  for (auto sequence = batch.trim_log_from; sequence < batch.trim_log_to; ++sequence)
    rows.push_back({registry_table::log, key_of(sequence), std::nullopt});
  rows.push_back({registry_table::log, key_of(batch.head.sequence), protocol::encode(batch.log)});
  rows.push_back({registry_table::head, {}, protocol::encode(batch.head)});
  return rows;
}

} // namespace picket::store
