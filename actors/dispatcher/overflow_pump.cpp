#include "actors/dispatcher/overflow_pump.hpp"

#include <algorithm>
#include <utility>

#include "base/time.hpp"

namespace picket {

overflow_pump::overflow_pump(overflow_pump_setup setup, shard_queues& queues)
    : setup_{std::move(setup)}
    , queues_{queues}
    , segments_{setup_.pool->figures().segments}
    , state_{setup_.files ? overflow_state::accepting : overflow_state::off} {
  show();
}

bool overflow_pump::serve() {
  if (!setup_.files) return false;
  bool more = false;
  bool tried = false;
  if (setup_.durable) {
    auto picks = pick_unstored();
    tried = !picks.empty();
    more = tried && store(picks, false) && picks.size() >= batches_a_round;
  }
  auto victims = pick_victims();
  tried = tried || !victims.empty();
  if (!victims.empty() && store(victims, true)) {
    more = more || victims.size() >= batches_a_round;
    setup_.on_room();
  }
  if (!tried) look_for_room();
  more = load_what_is_due() || more;
  setup_.files->tidy();
  show();
  return more;
}

/// Nothing had to be stored: whether something could be is found out by itself.
void overflow_pump::look_for_room() {
  auto now = state();
  auto wanted = std::min<std::uint64_t>(room_of_a_batch_bytes, setup_.files->options().max_bytes / 4);
  bool room = now == overflow_state::full && setup_.files->check_room(wanted);
  bool works = now == overflow_state::failing && setup_.files->probe();
  if (room || works) set_state(overflow_state::accepting, nullptr);
}

std::vector<overflow_pump::pick> overflow_pump::pick_unstored() {
  std::vector<pick> picks;
  for (std::size_t i = 0; i < queues_.size() && picks.size() < batches_a_round; ++i) {
    auto& queue = *queues_[i];
    std::lock_guard lock{queue.mutex};
    for (std::size_t depth = 0; depth < queue.closed.size() && picks.size() < batches_a_round; ++depth) {
      auto& batch = queue.closed[depth];
      if (batch->pinned || batch->stored) continue;
      batch->pinned = true;
      picks.push_back({static_cast<shard_id>(i), depth, false, batch});
    }
  }
  return picks;
}

/// The batches that will run last, as many as are needed; all of a shard that has used up its quota.
std::vector<overflow_pump::pick> overflow_pump::pick_victims() {
  std::vector<pick> candidates;
  bool is_short = short_of_segments();
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    auto& queue = *queues_[i];
    std::lock_guard lock{queue.mutex};
    if (!is_short && !queue.over_quota) continue;
    for (std::size_t depth = 0; depth < queue.closed.size(); ++depth)
      if (queue.closed[depth]->in_pool && !queue.closed[depth]->pinned)
        // What is over its quota goes first.
        candidates.push_back({static_cast<shard_id>(i), depth, queue.over_quota, queue.closed[depth]});
    queue.over_quota = false;
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const pick& a, const pick& b) {
    return std::pair{a.over_quota, a.depth} > std::pair{b.over_quota, b.depth};
  });
  std::vector<pick> picks;
  auto free = setup_.pool->free_segments();
  for (auto& one : candidates) {
    if (picks.size() >= batches_a_round || (free >= end_at() && !one.over_quota)) break;
    auto& queue = *queues_[one.shard];
    std::lock_guard lock{queue.mutex};
    bool there = std::find(queue.closed.begin(), queue.closed.end(), one.batch) != queue.closed.end();
    if (!there || one.batch->pinned || !one.batch->in_pool) continue; // it runs already
    one.batch->pinned = true;
    free += static_cast<std::uint32_t>(one.batch->ref.bytes / setup_.pool->segment_bytes() + 1);
    picks.push_back(one);
  }
  // In the order in which they will be read back.
  std::stable_sort(picks.begin(), picks.end(), [](const pick& a, const pick& b) {
    return a.batch->ref.id.sequence < b.batch->ref.id.sequence;
  });
  return picks;
}

bool overflow_pump::store(const std::vector<pick>& picks, bool leave_pool) {
  std::size_t written = 0;
  result<void> done;
  std::vector<waiting_batch*> fresh;
  for (; written < picks.size(); ++written) {
    auto& batch = *picks[written].batch;
    if (batch.stored) continue;
    auto records = setup_.pool->read(batch.ref);
    auto where = setup_.files->append(batch.ref, records.records());
    if (!where) {
      done = tl::unexpected(where.error());
      break;
    }
    batch.stored = *where; // pinned: nobody else looks at it
    fresh.push_back(&batch);
    setup_.counts->overflow_stored_batches_total.add();
  }
  if (setup_.durable && !fresh.empty()) {
    auto synced = setup_.files->sync();
    setup_.counts->overflow_syncs_total.add();
    if (!synced) {
      // What may or may not be on the disk does not count; it is written again.
      for (auto* batch : fresh) {
        setup_.files->finish(*batch->stored);
        batch->stored.reset();
      }
      written = 0;
      done = synced;
    }
  }
  for (std::size_t i = 0; i < written; ++i)
    settle(picks[i], leave_pool);
  unpin(picks, written);
  if (done) {
    set_state(overflow_state::accepting, nullptr);
    if (leave_pool && !in_use_) {
      in_use_ = true;
      setup_.log->write(log_event::overflow_begun, {{"free_segments", setup_.pool->free_segments()}});
    }
    return true;
  }
  bool full = done.error().code == errc::overflow_full || done.error().code == errc::disk_full;
  set_state(full ? overflow_state::full : overflow_state::failing, &done.error());
  return false;
}

void overflow_pump::settle(const pick& one, bool leave_pool) {
  auto& queue = *queues_[one.shard];
  bool tell = false;
  {
    std::lock_guard lock{queue.mutex};
    one.batch->pinned = false;
    if (leave_pool) {
      setup_.pool->finish(one.batch->ref);
      one.batch->in_pool = false;
      outside_.fetch_add(1);
    }
    tell = queue.blocked && queue.closed.front()->ready(setup_.durable);
    if (tell) {
      queue.blocked = false;
      queue.announced = true;
    }
  }
  if (tell) setup_.announce(one.shard);
}

void overflow_pump::unpin(const std::vector<pick>& picks, std::size_t from) {
  for (std::size_t i = from; i < picks.size(); ++i) {
    auto& queue = *queues_[picks[i].shard];
    bool tell = false;
    {
      std::lock_guard lock{queue.mutex};
      picks[i].batch->pinned = false;
      tell = queue.blocked && queue.closed.front()->ready(setup_.durable);
      if (tell) {
        queue.blocked = false;
        queue.announced = true;
      }
    }
    if (tell) setup_.announce(picks[i].shard);
  }
}

/// First what a shard waits for, then ahead of what runs. Where memory ends, the next round begins.
bool overflow_pump::load_what_is_due() {
  bool any = false;
  auto first = load_from_;
  for (std::size_t ahead = 0; ahead < 2; ++ahead) {
    for (std::size_t step = 0; step < queues_.size(); ++step) {
      auto i = (first + step) % queues_.size();
      auto limit = ahead == 0 ? loaded_limit_bytes : loaded_limit_bytes / 2;
      if (loaded_bytes_.load() >= limit) {
        if (ahead == 0) load_from_ = i;
        break;
      }
      auto& queue = *queues_[i];
      waiting_batch_ptr due;
      {
        std::lock_guard lock{queue.mutex};
        if (queue.closed.size() <= ahead) continue;
        auto& batch = queue.closed[ahead];
        if (batch->in_pool || batch->loaded || batch->lost || batch->pinned || !batch->stored) continue;
        batch->pinned = true;
        due = batch;
      }
      any = load_one(static_cast<shard_id>(i), due) || any;
    }
  }
  return any;
}

bool overflow_pump::load_one(shard_id shard, const waiting_batch_ptr& batch) {
  auto read = setup_.files->load(*batch->stored);
  bool loaded = read.has_value();
  bool lost = !loaded && (read.error().code != errc::io || is_unreadable(*batch));
  if (loaded) {
    loaded_bytes_.fetch_add(read->size);
    setup_.counts->overflow_loaded_batches_total.add();
    if (!setup_.pool->is_of_this_start(batch->ref.id))
      for (auto& record : read->records)
        record.connection = 0; // the connections of that process are gone
  } else {
    note_unread(shard, *batch, read.error(), lost);
  }
  auto& queue = *queues_[shard];
  bool tell = false;
  {
    std::lock_guard lock{queue.mutex};
    batch->pinned = false;
    if (loaded) batch->loaded = std::move(*read);
    batch->lost = lost;
    // What is lost keeps its place: what is in front of it has to be opened first.
    tell = queue.blocked && queue.closed.front()->ready(setup_.durable);
    if (tell) {
      queue.blocked = false;
      queue.announced = true;
    }
  }
  if (lost) {
    setup_.files->finish(*batch->stored);
    outside_.fetch_sub(1);
  }
  if (tell) setup_.announce(shard);
  return loaded || lost;
}

/// The disk refuses to read it again and again, and takes and gives other things.
bool overflow_pump::is_unreadable(waiting_batch& batch) {
  auto now_ms = steady_clock_ms();
  if (batch.unread_since_ms == 0) batch.unread_since_ms = now_ms;
  return now_ms - batch.unread_since_ms >= setup_.unreadable_after_ms && setup_.files->probe();
}

void overflow_pump::note_unread(shard_id shard, const waiting_batch& batch, const error& why, bool lost) {
  setup_.counts->overflow_failures_total.add();
  setup_.log->write(lost ? log_event::overflow_damaged : log_event::overflow_failed,
                    {{"shard", shard},
                     {"records", batch.ref.records},
                     {"sequence", batch.ref.id.sequence},
                     {"why", to_string(why)}});
  if (!lost) return;
  setup_.counts->overflow_damaged_batches_total.add();
  setup_.counts->overflow_lost_records_total.add(batch.ref.records);
}

void overflow_pump::set_state(overflow_state now, const error* why) {
  auto before = state_.exchange(now);
  if (why != nullptr) {
    setup_.counts->overflow_failures_total.add();
    if (before != now)
      setup_.log->write(now == overflow_state::full ? log_event::overflow_full : log_event::overflow_failed,
                        *why);
  }
  const auto& shown = setup_.counts->overflow_state;
  shown.set_for("accepting", now == overflow_state::accepting ? 1 : 0);
  shown.set_for("full", now == overflow_state::full ? 1 : 0);
  shown.set_for("failing", now == overflow_state::failing ? 1 : 0);
  if (before != now) setup_.on_room();
}

void overflow_pump::show() {
  if (!setup_.files) return;
  auto figures = setup_.files->figures();
  setup_.counts->overflow_bytes.set(static_cast<double>(figures.bytes));
  setup_.counts->overflow_batches.set(static_cast<double>(figures.batches));
  if (state() == overflow_state::accepting) setup_.counts->overflow_state.set_for("accepting", 1);
  if (in_use_ && outside_.load() == 0) {
    in_use_ = false;
    setup_.log->write(log_event::overflow_ended);
  }
}

} // namespace picket
