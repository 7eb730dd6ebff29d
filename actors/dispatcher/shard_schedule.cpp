#include "actors/dispatcher/shard_schedule.hpp"

#include <algorithm>

namespace picket {

shard_schedule::shard_schedule(std::size_t shards, std::size_t executors)
    : shards_(shards)
    , executors_{executors} {
  for (std::size_t i = executors; i > 0; --i)
    free_.push_back(i - 1);
}

void shard_schedule::announce(shard_id shard) {
  if (shard >= shards_.size()) return;
  auto& entry = shards_[shard];
  if (entry.state == state::running || entry.state == state::held) {
    entry.announced_again = true;
  } else if (entry.state == state::idle) {
    entry.state = state::ready;
    ready_.push_back(shard);
  }
}

std::optional<shard_schedule::assignment> shard_schedule::next() {
  return ready_.empty() ? std::nullopt : next_of(ready_.front());
}

std::optional<shard_schedule::assignment> shard_schedule::next_of(shard_id shard) {
  if (shard >= shards_.size() || shards_[shard].state != state::ready || free_.empty()) return std::nullopt;
  assignment given{shard, free_.back()};
  ready_.erase(std::find(ready_.begin(), ready_.end(), shard));
  free_.pop_back();
  auto& entry = shards_[given.shard];
  entry.state = state::running;
  entry.executor = given.executor;
  entry.announced_again = false;
  return given;
}

void shard_schedule::finish(shard_id shard, bool more) {
  auto& entry = shards_[shard];
  if (entry.state != state::running && entry.state != state::held) return;
  if (entry.state == state::running) free_.push_back(entry.executor);
  if (more || entry.announced_again) {
    entry.state = state::ready;
    ready_.push_back(shard);
  } else {
    entry.state = state::idle;
  }
}

void shard_schedule::requeue(shard_id shard) {
  auto& entry = shards_[shard];
  if (entry.state != state::running) return;
  free_.push_back(entry.executor);
  entry.state = state::ready;
  ready_.push_front(shard);
}

void shard_schedule::hold(shard_id shard) {
  auto& entry = shards_[shard];
  if (entry.state != state::running) return;
  free_.push_back(entry.executor);
  entry.state = state::held;
}

void shard_schedule::release(shard_id shard) {
  auto& entry = shards_[shard];
  if (entry.state != state::held) return;
  entry.state = state::ready;
  ready_.push_back(shard);
}

} // namespace picket
