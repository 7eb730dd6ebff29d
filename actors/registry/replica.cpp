#include "actors/registry/replica.hpp"

#include <algorithm>

namespace picket::registry {

using store::registry_table;
using store::replica_mark;
using store::revision_changes;

namespace {

/// The head's row among these, if there is one.
const store::row_write* head_of(const std::vector<store::row_write>& rows) {
  auto found = std::find_if(rows.rbegin(), rows.rend(),
                            [](const auto& row) { return row.table == registry_table::head && row.row; });
  return found == rows.rend() ? nullptr : &*found;
}

} // namespace

replica::replica(store::registry_tables& tables, replica_options options, listener tell)
    : tables_{tables}
    , options_{std::move(options)}
    , tell_{std::move(tell)} {
  auto view = tables_.read();
  if (view) {
    mark_ = view->mark();
    head_ = view->head();
    head_bytes_ = view->head_bytes();
  } else {
    failure_ = view.error();
  }
  if (!usable()) {
    load_anew(replica_alarm::none, 0);
    return;
  }
  stage_ = stage::watching;
  want(replica_wish::kind::watch);
}

void replica::want(replica_wish::kind what, std::int64_t not_before_ms) {
  wish_.what = what;
  wish_.not_before_ms = not_before_ms;
  wish_.watch_from = (stage_ == stage::catching_up ? loaded_mark_.applied : mark_.applied) + 1;
  ++wish_.number;
}

void replica::load_anew(replica_alarm why, std::int64_t not_before_ms) {
  if (why != replica_alarm::none) alarm_ = why;
  if (why == replica_alarm::store_went_back || !usable()) replaced_ = true;
  loaded_.reset();
  loaded_mark_ = {};
  loaded_head_ = {};
  wish_.page = {};
  forget_stall();
  stage_ = stage::loading_head;
  want(replica_wish::kind::head, not_before_ms);
}

/// The same again a little later, from another member.
void replica::pause(const error& why, std::int64_t now_ms) {
  failure_ = why;
  ++wish_.endpoint;
  want(wish_.what, now_ms + options_.retry_pause_ms);
}

void replica::doubt(const expected_head& expected) {
  // A late answer may be about tables that were replaced meanwhile.
  auto head = protocol::decode_head_row(expected.row);
  if (replaced_ || (head && head->epoch != head_.epoch)) return;
  load_anew(replica_alarm::store_went_back, 0);
}

void replica::took_head(std::uint64_t wish, const head_answer& answer, std::int64_t now_ms) {
  if (wish != wish_.number || wish_.what != replica_wish::kind::head) return;
  if (answer.status == read_status::wrong_cluster) alarm_ = replica_alarm::wrong_cluster;
  if (answer.status != read_status::fine) return pause(answer.why, now_ms);
  auto head = protocol::decode_head_row(answer.head.row);
  if (!answer.head.row.empty() && !head) return pause(head.error(), now_ms);
  auto epoch = head ? head->epoch : 0;
  if (stage_ == stage::confirming) {
    if (epoch != epoch_before_ || epoch != loaded_head_.epoch || answer.store_revision < loaded_mark_.applied)
      return load_anew(replica_alarm::store_went_back, now_ms);
    return finish_load(now_ms);
  }
  auto fresh = tables_.begin_load();
  if (!fresh) return pause(fresh.error(), now_ms);
  loaded_ = std::move(*fresh);
  epoch_before_ = epoch;
  stage_ = stage::pages;
  want(replica_wish::kind::load);
}

/// In transactions of a bounded size.
result<void> replica::write_page(const load_page& page) {
  revision_changes part{page.revision, {}};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    bytes += page.rows[i].row ? page.rows[i].row->size() : 0;
    part.rows.push_back(page.rows[i]);
    bool last = i + 1 == page.rows.size();
    if (!last && part.rows.size() < options_.transaction_rows && bytes < options_.transaction_bytes) continue;
    if (auto done = loaded_->apply({part}, loaded_mark_); !done) return done;
    part.rows.clear();
    bytes = 0;
  }
  return {};
}

void replica::took_page(std::uint64_t wish, const load_page& page, std::int64_t now_ms) {
  if (wish != wish_.number || wish_.what != replica_wish::kind::load) return;
  if (page.status == read_status::wrong_cluster) alarm_ = replica_alarm::wrong_cluster;
  if (page.status == read_status::compacted) return load_anew(replica_alarm::none, now_ms);
  if (page.status != read_status::fine) return pause(page.why, now_ms);
  if (wish_.page.revision != 0 && page.revision != wish_.page.revision)
    return load_anew(replica_alarm::none, now_ms);
  loaded_mark_.applied = page.revision;
  if (page.head_revision) loaded_mark_.head_revision = *page.head_revision;
  if (const auto* row = head_of(page.rows))
    if (auto head = protocol::decode_head_row(*row->row)) loaded_head_ = std::move(*head);
  // Without a name until it is whole.
  if (auto done = write_page(page); !done) {
    failure_ = done.error();
    return load_anew(replica_alarm::damaged, now_ms + options_.damaged_pause_ms);
  }
  wish_.page = {page.revision, page.after};
  if (!page.last) return want(replica_wish::kind::load);
  stage_ = stage::confirming;
  want(replica_wish::kind::head);
}

void replica::finish_load(std::int64_t now_ms) {
  loaded_mark_.cluster = options_.cluster;
  auto named = loaded_->apply({}, loaded_mark_);
  if (!named) {
    failure_ = named.error();
    return load_anew(replica_alarm::damaged, now_ms + options_.damaged_pause_ms);
  }
  if (loaded_head_.epoch != head_.epoch) replaced_ = true;
  if (replaced_ || loaded_mark_.applied >= mark_.applied) return switch_over(now_ms);
  // Readers have seen more than was loaded: not back behind that.
  stage_ = stage::catching_up;
  want(replica_wish::kind::watch);
}

void replica::switch_over(std::int64_t now_ms) {
  auto done = tables_.switch_to(loaded_);
  if (!done) {
    failure_ = done.error();
    return load_anew(replica_alarm::damaged, now_ms + options_.damaged_pause_ms);
  }
  loaded_.reset();
  mark_ = loaded_mark_;
  if (auto view = tables_.read()) {
    head_ = view->head();
    head_bytes_ = view->head_bytes();
  }
  replaced_ = false;
  ++era_;
  forget_stall();
  stage_ = stage::watching;
  want(replica_wish::kind::watch);
  if (tell_) tell_({mark_.applied, {}}, true);
}

/// Every batch rewrites the head, and counts it by one. A head that does not follow is another history.
bool replica::follows(const revision_changes& one, const fed_tables& before) {
  const auto* row = head_of(one.rows);
  if (row == nullptr || one.revision <= before.mark.applied) return true;
  auto read = protocol::decode_head_row(*row->row);
  // What does not decode is refused when it is applied.
  return !read || (read->epoch == before.head.epoch && read->sequence == before.head.sequence + 1);
}

/// Writes one group of revisions in one transaction.
bool replica::write(std::vector<revision_changes>& group, const fed_tables& after, std::int64_t now_ms) {
  if (group.empty()) return true;
  bool seen = stage_ != stage::catching_up;
  auto done = seen ? tables_.apply(group, after.mark) : loaded_->apply(group, after.mark);
  if (!done) {
    alarm_ = replica_alarm::damaged;
    pause(done.error(), now_ms + options_.damaged_pause_ms);
    return false;
  }
  if (!seen) {
    loaded_mark_ = after.mark;
    loaded_head_ = after.head;
  } else {
    mark_ = after.mark;
    head_ = after.head;
    if (!after.head_bytes.empty()) head_bytes_ = after.head_bytes;
    for (const auto& one : group)
      if (tell_) tell_({one.revision, one.rows}, false);
  }
  group.clear();
  return true;
}

bool replica::take_revisions(const std::vector<revision_changes>& changes, std::int64_t now_ms) {
  bool seen = stage_ != stage::catching_up;
  fed_tables after{seen ? mark_ : loaded_mark_, seen ? head_ : loaded_head_, {}};
  std::vector<revision_changes> group;
  std::size_t rows = 0;
  for (const auto& one : changes) {
    if (!is_new(one.revision, after.mark.applied)) continue;
    if (!follows(one, after)) {
      if (write(group, after, now_ms)) load_anew(replica_alarm::store_went_back, now_ms);
      return false;
    }
    if (rows + one.rows.size() > options_.transaction_rows) {
      if (!write(group, after, now_ms)) return false;
      rows = 0;
    }
    rows += one.rows.size();
    group.push_back(one);
    after.mark.applied = one.revision;
    if (const auto* row = head_of(one.rows)) {
      after.mark.head_revision = one.revision;
      after.head_bytes = *row->row;
      if (auto head = protocol::decode_head_row(*row->row)) after.head = std::move(*head);
    }
  }
  return write(group, after, now_ms);
}

void replica::took_changes(std::uint64_t wish, const stream_step& step, std::int64_t now_ms) {
  if (wish != wish_.number || wish_.what != replica_wish::kind::watch) return;
  if (!take_revisions(step.changes, now_ms)) return;
  if (stage_ == stage::catching_up && loaded_mark_.applied >= mark_.applied) return switch_over(now_ms);
  if (!step.end) return;
  switch (*step.end) {
  case watch_end::compacted:
    return load_anew(replica_alarm::none, now_ms);
  case watch_end::wrong_cluster:
    alarm_ = replica_alarm::wrong_cluster;
    return pause(step.why, now_ms);
  case watch_end::lost:
    return pause(step.why, now_ms);
  }
}

void replica::probed(const probe_mark& start, const head_answer& answer, std::int64_t now_ms) {
  if (answer.status == read_status::wrong_cluster) alarm_ = replica_alarm::wrong_cluster;
  // What is being loaded is checked by itself; a probe from before the last switch says nothing of now.
  if (answer.status != read_status::fine || !usable() || replaced_ || start.era != era_) return;
  auto head = protocol::decode_head_row(answer.head.row);
  bool other = answer.head.revision < start.mark.head_revision || answer.store_revision < start.mark.applied
               || (head && head->epoch != head_.epoch)
               || (answer.head.revision == mark_.head_revision && answer.head.row != head_bytes_);
  if (other) return load_anew(replica_alarm::store_went_back, now_ms);
  bool follows = stage_ == stage::watching || stage_ == stage::catching_up;
  const auto& fed = stage_ == stage::catching_up ? loaded_mark_ : mark_;
  bool behind = follows && answer.head.revision > fed.head_revision;
  // One that only lags is not cut: that would make it later still.
  if (!behind || fed.head_revision != behind_at_) forget_stall();
  if (!behind) return;
  if (behind_since_ms_ == 0) {
    behind_since_ms_ = now_ms;
    behind_at_ = fed.head_revision;
  } else if (now_ms - behind_since_ms_ > options_.stall_limit_ms) {
    alarm_ = replica_alarm::stalled;
    forget_stall();
    ++wish_.endpoint;
    want(replica_wish::kind::watch);
  }
}

result<void> replica::look(const looker& look) {
  if (!usable()) return fail(errc::registry_unavailable, "the registry has not been loaded yet", "replica");
  auto view = tables_.read();
  if (!view) return tl::unexpected<error>(view.error());
  look(*view, {mark_.head_revision, head_bytes_});
  return {};
}

bool replica::take_own(const expected_head& expected, std::uint64_t revision,
                       const store::registry_batch& batch) {
  if (mark_.applied >= revision) return true;
  // What is loaded in place of doubtful tables is not behind them, unless they go on meanwhile.
  if (replaced_) return false;
  if (mark_.head_revision != expected.revision || head_bytes_ != expected.row) return false;
  auto rows = rows_of(batch);
  replica_mark next{mark_.cluster, revision, revision};
  auto done = tables_.apply({{revision, rows}}, next);
  if (!done) {
    failure_ = done.error();
    return false; // the watch brings it again
  }
  mark_ = next;
  head_ = batch.head;
  head_bytes_ = *rows.back().row;
  if (tell_) tell_({revision, rows}, false);
  return true;
}

} // namespace picket::registry
