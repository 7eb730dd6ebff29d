#include "actors/registry/store.hpp"

namespace picket::registry {

namespace {

std::size_t bytes_of(const store::revision_changes& changes) {
  std::size_t bytes = 0;
  for (const auto& row : changes.rows)
    bytes += row.key.size() + (row.row ? row.row->size() : 0);
  return bytes;
}

} // namespace

commit_outcome embedded_store::commit(const expected_head& expected, const store::registry_batch& batch,
                                      std::int64_t) {
  std::uint64_t head = 0;
  {
    auto view = tables_.read();
    if (!view) return {commit_status::unavailable, 0, view.error()};
    head = view->head().sequence;
  }
  if (head != expected.revision) return {commit_status::conflict, head, {}};
  auto done = tables_.commit(batch);
  if (!done) {
    bool full = done.error().code == errc::disk_full || done.error().code == errc::store_full;
    return {full ? commit_status::no_space : commit_status::unavailable, head, done.error()};
  }
  std::lock_guard<std::mutex> guard{mutex_};
  ring_.push_back({batch.head.sequence, rows_of(batch)});
  ring_bytes_ += bytes_of(ring_.back());
  while (ring_.size() > ring_limit || ring_bytes_ > ring_limit_bytes) {
    ring_bytes_ -= bytes_of(ring_.front());
    ring_.pop_front();
  }
  return {commit_status::committed, batch.head.sequence, {}};
}

head_answer embedded_store::head(std::int64_t) {
  auto view = tables_.read();
  if (!view) return {read_status::unavailable, {}, 0, view.error()};
  auto sequence = view->head().sequence;
  return {read_status::fine, {sequence, view->head_bytes()}, sequence, {}};
}

load_page embedded_store::load(const load_position&, std::int64_t) {
  load_page page;
  auto view = tables_.read();
  if (!view) {
    page.why = view.error();
    return page;
  }
  page.status = read_status::fine;
  page.revision = view->head().sequence;
  page.head_revision = page.revision;
  page.rows = view->all_rows();
  page.last = true;
  return page;
}

/// Reads the ring under its lock; nothing waits, since commits come from the thread that reads.
class embedded_store::stream final : public change_stream {
public:
  stream(embedded_store& of, std::uint64_t from)
      : of_{of}
      , next_{from} {}
  stream_step next(std::int64_t) override {
    stream_step step;
    auto newest = of_.head(0).store_revision;
    std::lock_guard<std::mutex> guard{of_.mutex_};
    if (next_ > newest) return step;
    if (of_.ring_.empty() || next_ < of_.ring_.front().revision) {
      step.end = watch_end::compacted;
      return step;
    }
    for (const auto& one : of_.ring_)
      if (one.revision >= next_) step.changes.push_back(one);
    next_ = newest + 1;
    return step;
  }

private:
  embedded_store& of_;
  std::uint64_t next_;
};

std::unique_ptr<change_stream> embedded_store::changes(std::uint64_t from) {
  return std::make_unique<stream>(*this, from);
}

} // namespace picket::registry
