#include "engine/state/node_state.hpp"

#include <algorithm>

namespace picket::engine {

std::uint32_t rule_counters::fire(std::uint32_t hour) noexcept {
  std::uint64_t old = fired_.load(std::memory_order_relaxed);
  for (;;) {
    const auto old_hour = static_cast<std::uint32_t>(old >> 32);
    const auto count = hour > old_hour ? 1u : static_cast<std::uint32_t>(old) + 1;
    const std::uint64_t next = static_cast<std::uint64_t>(std::max(hour, old_hour)) << 32 | count;
    if (fired_.compare_exchange_weak(old, next, std::memory_order_relaxed)) return count;
  }
}

rule_counters::ignored rule_counters::enter_ignore_window(std::int64_t now_s,
                                                          std::uint32_t ignore_s) noexcept {
  std::int64_t stamp = stamp_.load(std::memory_order_relaxed);
  for (;;) {
    if (stamp != 0 && now_s - stamp < static_cast<std::int64_t>(ignore_s)) return ignored::yes;
    if (stamp_.compare_exchange_weak(stamp, now_s, std::memory_order_relaxed)) return ignored::no;
  }
}

rule_counters::ignored rule_counters::enter_ignore_window_of_logtest(std::int64_t now_s,
                                                                     std::uint32_t ignore_s) noexcept {
  std::int64_t stamp = stamp_.load(std::memory_order_relaxed);
  for (;;) {
    if (stamp != 0 && now_s - stamp < static_cast<std::int64_t>(ignore_s)) return ignored::yes;
    const std::int64_t next = stamp == 0 ? now_s : 0;
    if (stamp_.compare_exchange_weak(stamp, next, std::memory_order_relaxed)) return ignored::no;
  }
}

std::shared_ptr<const counter_table> node_state::table_for(const ruleset& rules) {
  const std::lock_guard lock{mutex_};
  for (const auto& table : tables_)
    if (table->digest == rules.digest) return table;
  auto made = std::make_shared<counter_table>();
  made->digest = rules.digest;
  std::unordered_map<std::uint64_t, slot> kept;
  std::unordered_map<std::uint32_t, std::uint32_t> seen;
  for (const auto& rule : rules.tree.rules) {
    const auto key = static_cast<std::uint64_t>(seen[rule->id]++) << 32 | rule->id;
    auto& at = kept[key];
    const auto old = slots_.find(key);
    if (old != slots_.end() && old->second.digest == rule->digest)
      at = old->second;
    else
      at = {rule->digest, std::make_shared<rule_counters>()};
    made->by_rule.push_back(at.counters);
  }
  slots_ = std::move(kept);
  tables_.push_back(made);
  if (tables_.size() > 2) tables_.erase(tables_.begin());
  return made;
}

} // namespace picket::engine
