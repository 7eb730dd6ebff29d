#include "net/address_guard.hpp"

#include <algorithm>

namespace picket::net {

bool token_bucket::take(const allowance& of, std::int64_t now_ms) noexcept {
  if (of.per_s <= 0) return true;
  auto passed_ms = std::max<std::int64_t>(0, now_ms - at_ms_);
  used_ = std::max(0.0, used_ - of.per_s * static_cast<double>(passed_ms) / 1'000);
  at_ms_ = std::max(at_ms_, now_ms);
  if (used_ + 1 > std::max(1.0, of.burst)) return false;
  used_ += 1;
  return true;
}

address_guard::row& address_guard::row_of(const ip_address& key) {
  auto found = index_.find(key);
  if (found != index_.end()) {
    rows_.splice(rows_.begin(), rows_, found->second);
    return rows_.front();
  }
  if (rows_.size() >= std::max<std::size_t>(1, limits_.addresses)) {
    index_.erase(rows_.back().key);
    rows_.pop_back();
  }
  rows_.emplace_front();
  rows_.front().key = key;
  index_.emplace(key, rows_.begin());
  return rows_.front();
}

std::optional<refusal> address_guard::on_connect(const ip_address& from, std::int64_t now_ms) {
  const bool by_address = limits_.connections.per_s > 0 || limits_.penalty_ms > 0;
  std::lock_guard lock{mutex_};
  if (by_address) {
    const auto key = limit_key(from);
    auto& known = row_of(key);
    const bool trusted = now_ms < known.trusted_until_ms || proven_.count(key) > 0;
    if (now_ms < known.penalty_until_ms && !trusted) return refusal::penalty;
    if (!known.connections.take(limits_.connections, now_ms)) return refusal::rate;
  }
  if (!in_all_.take(limits_.connections_in_all, now_ms)) return refusal::rate;
  return std::nullopt;
}

void address_guard::on_failure(const ip_address& from, std::int64_t now_ms) {
  if (limits_.penalty_ms <= 0) return;
  std::lock_guard lock{mutex_};
  auto& known = row_of(limit_key(from));
  if (!known.failures.take(limits_.failures, now_ms)) known.penalty_until_ms = now_ms + limits_.penalty_ms;
}

void address_guard::on_proven(const ip_address& from, std::int64_t now_ms) {
  if (limits_.penalty_ms <= 0) return;
  std::lock_guard lock{mutex_};
  const auto key = limit_key(from);
  ++proven_[key];
  row_of(key).trusted_until_ms = now_ms + trusted_ms;
}

void address_guard::on_gone(const ip_address& from, std::int64_t now_ms) {
  if (limits_.penalty_ms <= 0) return;
  std::lock_guard lock{mutex_};
  const auto key = limit_key(from);
  auto found = proven_.find(key);
  if (found == proven_.end()) return;
  if (--found->second == 0) proven_.erase(found);
  row_of(key).trusted_until_ms = now_ms + trusted_ms;
}

std::size_t address_guard::remembered() const {
  std::lock_guard lock{mutex_};
  return rows_.size();
}

} // namespace picket::net
