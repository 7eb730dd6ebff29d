#include "net/limits.hpp"

#include <algorithm>

namespace picket::net {

std::string_view name_of(refusal reason) noexcept {
  switch (reason) {
  case refusal::total:
    return "total";
  case refusal::address:
    return "address";
  case refusal::rate:
    return "rate";
  case refusal::penalty:
    return "penalty";
  case refusal::unverified:
    return "unverified";
  case refusal::refused:
    return "refused";
  case refusal::no_descriptor:
    return "no_descriptor";
  case refusal::bad_proxy_header:
    return "bad_proxy_header";
  case refusal::no_proxy_header:
    return "no_proxy_header";
  }
  return "total";
}

ip_address limit_key(const ip_address& address) noexcept {
  auto key = address;
  if (key.v6) std::fill(key.bytes.begin() + 8, key.bytes.end(), std::uint8_t{0});
  return key;
}

connection_limits::verdict connection_limits::take(const ip_address& from, bool in_exchange) {
  std::lock_guard lock{mutex_};
  const auto limit = in_exchange ? total_ + in_exchange_max : total_;
  if (open_.load(std::memory_order_relaxed) >= limit) return verdict::too_many;
  if (per_address_ > 0) {
    auto& count = by_address_[limit_key(from)];
    if (count >= per_address_) return verdict::too_many_from_address;
    ++count;
  }
  open_.fetch_add(1, std::memory_order_relaxed);
  return verdict::taken;
}

bool connection_limits::take_nameless(bool in_exchange) {
  std::lock_guard lock{mutex_};
  const auto limit = in_exchange ? total_ + in_exchange_max : total_;
  if (open_.load(std::memory_order_relaxed) >= limit) return false;
  open_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void connection_limits::give_back_nameless() {
  std::lock_guard lock{mutex_};
  open_.fetch_sub(1, std::memory_order_relaxed);
}

bool connection_limits::name(const ip_address& from) {
  if (per_address_ == 0) return true;
  std::lock_guard lock{mutex_};
  auto& count = by_address_[limit_key(from)];
  if (count >= per_address_) return false;
  ++count;
  return true;
}

void connection_limits::give_back(const ip_address& from) {
  std::lock_guard lock{mutex_};
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (per_address_ == 0) return;
  auto found = by_address_.find(limit_key(from));
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
}

} // namespace picket::net
