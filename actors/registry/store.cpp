#include "actors/registry/store.hpp"

namespace picket::registry {

commit_outcome embedded_store::commit(std::uint64_t expected, const store::registry_batch& batch,
                                      std::int64_t) {
  std::uint64_t head = 0;
  {
    auto view = tables_.read();
    if (!view) return {commit_status::unavailable, 0, view.error()};
    head = view->head().sequence;
  }
  if (head != expected) return {commit_status::conflict, head, {}};
  auto done = tables_.commit(batch);
  if (done) return {commit_status::committed, batch.head.sequence, {}};
  bool full = done.error().code == errc::disk_full || done.error().code == errc::store_full;
  return {full ? commit_status::no_space : commit_status::unavailable, expected, done.error()};
}

} // namespace picket::registry
