#include "net/limits.hpp"

namespace picket::net {

connection_limits::verdict connection_limits::take(const ip_address& from) {
  std::lock_guard lock{mutex_};
  if (open_.load(std::memory_order_relaxed) >= total_) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return verdict::too_many;
  }
  if (per_address_ > 0) {
    auto& count = by_address_[from];
    if (count >= per_address_) {
      refused_.fetch_add(1, std::memory_order_relaxed);
      return verdict::too_many_from_address;
    }
    ++count;
  }
  open_.fetch_add(1, std::memory_order_relaxed);
  return verdict::taken;
}

void connection_limits::give_back(const ip_address& from) {
  std::lock_guard lock{mutex_};
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (per_address_ == 0) return;
  auto found = by_address_.find(from);
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
}

} // namespace picket::net
