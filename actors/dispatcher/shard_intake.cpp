#include "actors/dispatcher/shard_intake.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/time.hpp"
#include "protocol/agent/event_message.hpp"

namespace picket {

namespace {

/// Woken at once when room is not scarce; the others follow with the next batch that is finished.
constexpr std::size_t least_woken = 64;
constexpr std::size_t rounds_at_once = 16;

} // namespace

shard_intake::shard_intake(std::shared_ptr<store::pool> pool, std::shared_ptr<store::overflow> files,
                           intake_options options, intake_links links, std::shared_ptr<const metrics> counts,
                           std::shared_ptr<event_log> log)
    : pool_{std::move(pool)}
    , options_{std::move(options)}
    , links_{std::move(links)}
    , counts_{std::move(counts)}
    , log_{std::move(log)}
    , segments_{pool_->figures().segments} {
  for (std::size_t i = 0; i < options_.shards; ++i)
    shards_.push_back(std::make_unique<shard_queue>());
  overflow_pump_setup setup;
  setup.pool = pool_;
  setup.files = std::move(files);
  setup.durable = options_.durable;
  setup.announce = [this](shard_id shard) { links_.announce(shard); };
  setup.unreadable_after_ms = options_.unreadable_after_ms;
  setup.on_room = [this] { grant(0); };
  setup.counts = counts_;
  setup.log = log_;
  pump_ = std::make_unique<overflow_pump>(std::move(setup), shards_);
  show_pool();
}

shard_intake::~shard_intake() = default;

void shard_intake::queue_found(const store::batch_ref& ref, const store::stored_ref* stored, bool in_pool) {
  // The number of shards may have changed since: an agent's batches stay together all the same.
  auto& queue = *shards_[ref.shard % options_.shards];
  std::lock_guard lock{queue.mutex};
  auto batch = std::make_shared<waiting_batch>();
  batch->ref = ref;
  batch->in_pool = in_pool;
  if (stored != nullptr) batch->stored = *stored;
  if (!in_pool) pump_->found_outside(1);
  queue.closed.push_back(std::move(batch));
  queue.announced = true;
  outstanding_.fetch_add(1);
}

std::size_t shard_intake::resume() {
  struct place {
    const store::batch_ref* in_pool = nullptr;
    const store::overflow_recovery::batch* stored = nullptr;
  };
  std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>, place> found;
  auto key = [](const batch_id& id) { return std::tuple{id.boot, id.sequence, id.node}; };
  for (const auto& ref : pool_->recovery().batches)
    found[key(ref.id)].in_pool = &ref;
  if (pump_->files() != nullptr)
    for (const auto& one : pump_->files()->recovery().batches) {
      auto& place = found[key(one.ref.id)];
      // Written again after the disk had refused, before a crash of the machine: once is enough.
      if (place.stored != nullptr) pump_->files()->finish(place.stored->where);
      place.stored = &one;
    }
  for (const auto& [id, where] : found) {
    auto ref = where.in_pool != nullptr ? *where.in_pool : where.stored->ref;
    if (where.stored != nullptr) ref.attempt = std::max(ref.attempt, where.stored->ref.attempt);
    queue_found(ref, where.stored != nullptr ? &where.stored->where : nullptr, where.in_pool != nullptr);
  }
  for (std::size_t i = 0; i < shards_.size(); ++i)
    if (shards_[i]->announced) links_.announce(static_cast<shard_id>(i));
  return found.size();
}

pressure shard_intake::pressure_now() const noexcept {
  auto free = pool_->free_segments();
  if (free >= segments_ / 4 || pump_->state() == overflow_state::accepting) return pressure::none;
  return free > std::max<std::uint32_t>(2, segments_ / 32) ? pressure::scarce : pressure::stop;
}

intake_answer shard_intake::take(const sealed_record& record, connection_turn& turn) {
  auto now = pressure_now();
  if (now == pressure::none) {
    turn.allowance_bytes = 0;
  } else if (now == pressure::stop || turn.allowance_bytes < record.bytes.size()) {
    turn.needed_bytes = record.bytes.size();
    return now == pressure::stop ? intake_answer::full : intake_answer::throttled;
  }
  store::pool_record stored;
  stored.arrival_ms = record.arrival_ms;
  stored.agent = record.agent;
  stored.kind = static_cast<std::uint8_t>(record.over_limit ? record_kind::over_limit : record_kind::sealed);
  stored.connection = record.connection;
  stored.bytes = record.bytes;
  turn.needed_bytes = record.bytes.size();
  if (!append(shard_of(record.agent), stored, &turn.batch)) return intake_answer::full;
  turn.allowance_bytes -= std::min(turn.allowance_bytes, record.bytes.size());
  return intake_answer::taken;
}

bool shard_intake::take(agent_id agent, const std::string& location, const std::string& text) {
  auto message = protocol::format_event_message('1', location, text);
  store::pool_record stored;
  stored.arrival_ms = wall_clock_ms();
  stored.agent = agent;
  stored.kind = static_cast<std::uint8_t>(record_kind::plain);
  stored.bytes = as_bytes(message);
  return append(shard_of(agent), stored);
}

bool shard_intake::take_again(agent_id agent, record_kind kind, std::string_view bytes) {
  store::pool_record stored;
  stored.arrival_ms = wall_clock_ms();
  stored.agent = agent;
  stored.kind = static_cast<std::uint8_t>(kind);
  stored.bytes = as_bytes(bytes);
  return append(shard_of(agent), stored);
}

bool shard_intake::append(shard_id shard, const store::pool_record& record, std::uint64_t* batch) {
  auto& queue = *shards_[shard];
  bool tell = false;
  bool taken = false;
  {
    std::lock_guard lock{queue.mutex};
    taken = append_locked(queue, shard, record, batch);
    if (taken && !queue.blocked) {
      tell = !queue.announced;
      queue.announced = true;
    }
    if (!taken) queue.over_quota = true;
  }
  if (tell) links_.announce(shard);
  if (!taken) {
    counts_->pool_full_total.add();
    ask_overflow();
    return false;
  }
  if (pump_->short_of_segments()) ask_overflow();
  return true;
}

bool shard_intake::append_locked(shard_queue& queue, shard_id shard, const store::pool_record& record,
                                 std::uint64_t* batch) {
  for (int tries = 0; tries < 2; ++tries) {
    auto& open = queue.open;
    if (!open) {
      auto begun = pool_->begin(shard);
      if (!begun) return false;
      open.emplace(std::move(*begun));
      outstanding_.fetch_add(1);
    }
    if (open->append(record) == store::append_result::taken) {
      if (batch != nullptr) *batch = open->ref().id.sequence;
      if (open->records() >= options_.batch_records || open->bytes() >= options_.batch_bytes)
        close_open(queue);
      return true;
    }
    bool empty = open->records() == 0;
    close_open(queue);
    if (empty) return false;
  }
  return false;
}

void shard_intake::close_open(shard_queue& queue) {
  auto& open = queue.open;
  if (!open) return;
  bool empty = open->records() == 0;
  auto ref = open->close();
  open.reset();
  if (empty) {
    outstanding_.fetch_sub(1);
    return;
  }
  auto batch = std::make_shared<waiting_batch>();
  batch->ref = ref;
  queue.closed.push_back(std::move(batch));
}

work_ptr shard_intake::take(shard_id shard) {
  auto& queue = *shards_[shard];
  work_ptr what;
  bool ask = false;
  std::vector<store::batch_ref> lost;
  {
    std::lock_guard lock{queue.mutex};
    for (; !queue.closed.empty() && queue.closed.front()->lost; queue.closed.pop_front())
      lost.push_back(queue.closed.front()->ref);
    outstanding_.fetch_sub(lost.size());
    if (queue.closed.empty()) close_open(queue);
    if (queue.closed.empty())
      queue.announced = false;
    else if (queue.closed.front()->ready(options_.durable)) {
      what = hand_out(queue, shard);
      // What comes behind it may have to be fetched.
      ask = !queue.closed.empty() && !queue.closed.front()->ready(options_.durable);
    } else {
      queue.announced = false;
      queue.blocked = true;
      ask = true;
    }
  }
  for (const auto& ref : lost)
    step_over(shard, ref.id);
  if (ask) ask_overflow();
  show_pool();
  return what;
}

void shard_intake::step_over(shard_id shard, const batch_id& batch) {
  // What an earlier process had read belongs to no connection of this one.
  if (links_.lost && pool_->is_of_this_start(batch)) links_.lost(shard, batch.sequence);
}

work_ptr shard_intake::hand_out(shard_queue& queue, shard_id shard) {
  auto batch = std::move(queue.closed.front());
  queue.closed.pop_front();
  auto& ref = batch->ref;
  if (batch->in_pool) {
    pool_->start(ref, 0);
    queue.active_records.emplace(pool_->read(ref));
  } else {
    ++ref.attempt;
  }
  if (batch->stored) pump_->files()->start(*batch->stored, ref.attempt);
  auto what = std::make_shared<work>();
  what->id = ref.id;
  what->shard = shard;
  what->attempt = ref.attempt;
  const auto& records = batch->in_pool ? queue.active_records->records() : batch->loaded->records;
  what->records.reserve(records.size());
  for (const auto& record : records)
    what->records.push_back({record.agent, record.connection, record.arrival_ms,
                             static_cast<record_kind>(record.kind), as_text(record.bytes)});
  queue.active = std::move(batch);
  return what;
}

bool shard_intake::finish(const work& done) {
  auto& queue = *shards_[done.shard];
  bool more = false;
  bool ask = false;
  std::size_t freed_bytes = 0;
  {
    std::lock_guard lock{queue.mutex};
    if (queue.active && queue.active->ref.id == done.id) {
      auto& batch = *queue.active;
      if (batch.in_pool) {
        pool_->finish(batch.ref);
        freed_bytes = batch.ref.bytes;
      } else {
        pump_->finished_outside(batch.loaded->size);
      }
      if (batch.stored) {
        pump_->files()->finish(*batch.stored);
        ask = true; // others may wait for the memory, and the file may be done with
      }
      queue.active.reset();
      queue.active_records.reset();
      outstanding_.fetch_sub(1);
    }
    more = queue.has_more();
    if (!more) queue.announced = false;
  }
  // Set aside without having been opened: nobody waits for its records any more.
  if (!done.opened) step_over(done.shard, done.id);
  if (ask) ask_overflow();
  show_pool();
  grant(freed_bytes);
  return more;
}

void shard_intake::survived(const work& what) { count_attempts(what, 0); }

void shard_intake::count_attempts(const work& what, std::uint32_t attempts) {
  auto& queue = *shards_[what.shard];
  std::lock_guard lock{queue.mutex};
  if (!queue.active || queue.active->ref.id != what.id) return;
  if (queue.active->in_pool) pool_->set_attempts(queue.active->ref, attempts);
  if (queue.active->stored) pump_->files()->start(*queue.active->stored, attempts);
}

void shard_intake::when_room(std::shared_ptr<connection_turn> turn, std::function<void()> wake) {
  {
    std::lock_guard lock{turns_mutex_};
    turns_.wait(std::move(turn), std::move(wake));
  }
  // Room may have come between the refusal and here; nobody would wake us then.
  if (outstanding_.load() == 0) grant(0);
  if (pump_->state() == overflow_state::accepting) ask_overflow();
}

bool shard_intake::forget(const std::shared_ptr<connection_turn>& turn) {
  std::lock_guard lock{turns_mutex_};
  return turns_.forget(turn);
}

void shard_intake::grant(std::size_t freed_bytes) {
  std::vector<fair_turns::wake> due;
  {
    std::lock_guard lock{turns_mutex_};
    if (turns_.waiting() == 0) return;
    auto free = pool_->free_segments();
    auto now = pressure_now();
    if (outstanding_.load() == 0)
      due = turns_.release(turns_.waiting());
    else if (now == pressure::none)
      due = turns_.release(std::max<std::size_t>(least_woken, free));
    else if (now == pressure::scarce)
      due = turns_.grant(freed_bytes, rounds_at_once);
  }
  for (auto& wake : due)
    wake();
}

void shard_intake::tick() {
  if (options_.durable)
    for (auto& queue : shards_) {
      // While executors are busy nobody else closes what is open, and it must not stay off the disk for long.
      std::lock_guard lock{queue->mutex};
      if (queue->open && queue->open->records() > 0) close_open(*queue);
    }
  std::size_t one_round = 0;
  {
    std::lock_guard lock{turns_mutex_};
    one_round = turns_.waiting() * fair_turns::quantum_bytes;
  }
  grant(one_round);
}

bool shard_intake::serve_overflow() {
  asked_.store(false);
  return pump_->serve();
}

void shard_intake::ask_overflow() {
  if (pump_->state() == overflow_state::off || asked_.exchange(true)) return;
  links_.ask_overflow();
}

std::optional<std::int64_t> shard_intake::oldest_arrival_ms() const {
  std::optional<std::int64_t> oldest;
  auto look = [&](const store::batch_ref& ref) {
    if (ref.records > 0 && (!oldest || ref.oldest_arrival_ms < *oldest)) oldest = ref.oldest_arrival_ms;
  };
  for (const auto& queue : shards_) {
    std::lock_guard lock{queue->mutex};
    if (queue->active) look(queue->active->ref);
    if (!queue->closed.empty()) look(queue->closed.front()->ref);
    if (queue->open) look(queue->open->ref());
  }
  return oldest;
}

void shard_intake::show_pool() const {
  auto figures = pool_->figures();
  counts_->pool_segments.set_for("free", figures.free_segments);
  counts_->pool_segments.set_for("used", figures.segments - figures.free_segments);
}

} // namespace picket
