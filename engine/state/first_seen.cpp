#include "engine/state/first_seen.hpp"

#include <algorithm>

namespace picket::engine {

first_seen_in_memory::first_seen_in_memory(first_seen_limits limits, hash_seed seed)
    : limits_(limits)
    , index_(16, seeded{seed}) {}

bool first_seen_in_memory::contains(std::string_view key) const {
  const std::lock_guard lock{mutex_};
  return index_.count(key.substr(0, limits_.key_bytes_max)) > 0;
}

bool first_seen_in_memory::insert_if_new(std::string_view key) {
  key = key.substr(0, limits_.key_bytes_max);
  const std::lock_guard lock{mutex_};
  if (index_.count(key) > 0) return false;
  order_.emplace_back(key);
  index_.insert(order_.back());
  if (order_.size() > limits_.keys_max) {
    index_.erase(order_.front());
    order_.pop_front();
    ++evicted_;
  }
  return true;
}

std::string first_seen_in_memory::cut_if_similar(std::string_view key) const {
  const std::lock_guard lock{mutex_};
  std::size_t similar = 0;
  for (const auto& other : recent_) {
    const auto end = std::mismatch(key.begin(), key.end(), other.begin(), other.end()).first;
    if (static_cast<std::size_t>(end - key.begin()) <= limits_.similar_bytes) continue;
    if (++similar == 3) return std::string{key.substr(0, limits_.similar_bytes)};
  }
  return std::string{key};
}

void first_seen_in_memory::remember_recent(std::string_view key) {
  const std::lock_guard lock{mutex_};
  recent_.emplace_front(key);
  if (recent_.size() > limits_.recent_max) recent_.pop_back();
}

std::size_t first_seen_in_memory::size() const {
  const std::lock_guard lock{mutex_};
  return order_.size();
}

std::uint64_t first_seen_in_memory::evicted() const {
  const std::lock_guard lock{mutex_};
  return evicted_;
}

std::vector<std::string> first_seen_in_memory::keys() const {
  const std::lock_guard lock{mutex_};
  return {order_.begin(), order_.end()};
}

} // namespace picket::engine
