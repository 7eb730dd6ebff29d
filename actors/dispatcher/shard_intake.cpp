#include "actors/dispatcher/shard_intake.hpp"

#include "base/time.hpp"
#include "protocol/agent/event_message.hpp"

namespace picket {

shard_intake::shard_intake(std::shared_ptr<store::pool> pool, intake_options options,
                           std::function<void(shard_id)> announce, std::shared_ptr<const metrics> counts,
                           std::shared_ptr<event_log> log)
    : pool_{std::move(pool)}
    , options_{std::move(options)}
    , announce_{std::move(announce)}
    , counts_{std::move(counts)}
    , log_{std::move(log)} {
  for (std::size_t i = 0; i < options_.shards; ++i) {
    shards_.push_back(std::make_unique<shard_queue>());
  }
  show_pool();
}

shard_intake::~shard_intake() = default;

std::size_t shard_intake::resume() {
  const auto& found = pool_->recovery().batches;
  for (const auto& ref : found) {
    // The number of shards may have changed since: an agent's batches stay together all the same.
    auto& queue = *shards_[ref.shard % options_.shards];
    std::lock_guard lock{queue.mutex};
    queue.closed.push_back(ref);
    queue.announced = true;
    outstanding_.fetch_add(1);
  }
  for (std::size_t i = 0; i < shards_.size(); ++i)
    if (shards_[i]->announced) announce_(static_cast<shard_id>(i));
  return found.size();
}

bool shard_intake::take(const sealed_record& record) {
  store::pool_record stored;
  stored.arrival_ms = record.arrival_ms;
  stored.agent = record.agent;
  stored.kind = static_cast<std::uint8_t>(record_kind::sealed);
  stored.connection = record.connection;
  stored.bytes = record.bytes;
  return append(shard_of(record.agent), stored);
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

bool shard_intake::append(shard_id shard, const store::pool_record& record) {
  auto& queue = *shards_[shard];
  bool tell = false;
  {
    std::lock_guard lock{queue.mutex};
    if (!append_locked(queue, shard, record)) {
      counts_->pool_full_total.add();
      return false;
    }
    tell = !queue.announced;
    queue.announced = true;
  }
  if (tell) announce_(shard);
  return true;
}

bool shard_intake::append_locked(shard_queue& queue, shard_id shard, const store::pool_record& record) {
  for (int tries = 0; tries < 2; ++tries) {
    auto& open = queue.open;
    if (!open) {
      auto begun = pool_->begin(shard);
      if (!begun) return false;
      open.emplace(std::move(*begun));
      outstanding_.fetch_add(1);
    }
    if (open->append(record) == store::append_result::taken) {
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
  if (empty)
    outstanding_.fetch_sub(1);
  else
    queue.closed.push_back(ref);
}

bool shard_intake::has_more(const shard_queue& queue) const {
  return !queue.closed.empty() || (queue.open && queue.open->records() > 0);
}

work_ptr shard_intake::take(shard_id shard) {
  auto& queue = *shards_[shard];
  std::lock_guard lock{queue.mutex};
  if (queue.closed.empty()) close_open(queue);
  if (queue.closed.empty()) {
    queue.announced = false;
    return nullptr;
  }
  auto ref = queue.closed.front();
  queue.closed.pop_front();
  pool_->start(ref, 0);
  queue.active.emplace(active_batch{ref, pool_->read(ref)});
  auto what = std::make_shared<work>();
  what->id = ref.id;
  what->shard = shard;
  what->attempt = ref.attempt;
  what->records.reserve(queue.active->records.records().size());
  for (const auto& record : queue.active->records.records())
    what->records.push_back({record.agent, record.connection, record.arrival_ms,
                             static_cast<record_kind>(record.kind), as_text(record.bytes)});
  show_pool();
  return what;
}

bool shard_intake::finish(const work& done) {
  auto& queue = *shards_[done.shard];
  bool more = false;
  {
    std::lock_guard lock{queue.mutex};
    if (queue.active && queue.active->ref.id == done.id) {
      pool_->finish(queue.active->ref);
      queue.active.reset();
      outstanding_.fetch_sub(1);
    }
    more = has_more(queue);
    if (!more) queue.announced = false;
  }
  show_pool();
  wake_waiting();
  return more;
}

void shard_intake::survived(const work& what) {
  auto& queue = *shards_[what.shard];
  std::lock_guard lock{queue.mutex};
  if (queue.active && queue.active->ref.id == what.id) pool_->survived(queue.active->ref);
}

void shard_intake::when_room(std::function<void()> wake) {
  {
    std::lock_guard lock{waiting_mutex_};
    waiting_.push_back(std::move(wake));
  }
  // Everything may have been finished between the refusal and here; nobody would wake us then.
  if (outstanding_.load() == 0) wake_waiting();
}

void shard_intake::wake_waiting() {
  std::vector<std::function<void()>> ready;
  {
    std::lock_guard lock{waiting_mutex_};
    ready.swap(waiting_);
  }
  for (auto& wake : ready)
    wake();
}

std::optional<std::int64_t> shard_intake::oldest_arrival_ms() const {
  std::optional<std::int64_t> oldest;
  auto look = [&](const store::batch_ref& ref) {
    if (ref.records > 0 && (!oldest || ref.oldest_arrival_ms < *oldest)) oldest = ref.oldest_arrival_ms;
  };
  for (const auto& queue : shards_) {
    std::lock_guard lock{queue->mutex};
    if (queue->active) look(queue->active->ref);
    for (const auto& ref : queue->closed)
      look(ref);
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
