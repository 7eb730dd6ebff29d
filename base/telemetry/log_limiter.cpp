#include "base/telemetry/log_limiter.hpp"

#include <algorithm>

namespace picket {

namespace {

/// Between two searches for sources that may be forgotten, so that a flood of sources does not pay for one
/// with each line.
constexpr std::int64_t sweep_interval_ms = 1'000;

} // namespace

log_limiter::log_limiter(std::size_t events, log_limits limits)
    : limits_{limits}
    , events_(events)
    , accounts_(events) {
  for (std::size_t i = 0; i < events; ++i)
    accounts_[i].event = i;
}

void log_limiter::fill(bucket& which, double burst, double per_second, std::int64_t now_ms) {
  if (which.fresh) {
    which.tokens = burst;
    which.fresh = false;
  } else {
    auto passed_ms = std::max<std::int64_t>(0, now_ms - which.filled_ms);
    which.tokens = std::min(burst, which.tokens + static_cast<double>(passed_ms) / 1000 * per_second);
  }
  which.filled_ms = now_ms;
}

void log_limiter::forget_quiet_sources(std::int64_t now_ms) {
  if (swept_ms_ != 0 && now_ms - swept_ms_ < sweep_interval_ms) return;
  swept_ms_ = now_ms;
  for (auto at = sources_.begin(); at != sources_.end();) {
    fill(at->second, limits_.source_burst, limits_.source_per_second, now_ms);
    at = at->second.tokens >= limits_.source_burst ? sources_.erase(at) : std::next(at);
  }
}

log_limiter::bucket* log_limiter::source_bucket(std::size_t event, std::string_view source,
                                                std::int64_t now_ms) {
  if (source.empty()) return nullptr;
  key of{event, std::string{source}};
  auto found = sources_.find(of);
  if (found == sources_.end()) {
    if (sources_.size() >= limits_.sources_max) forget_quiet_sources(now_ms);
    if (sources_.size() >= limits_.sources_max) return nullptr;
    found = sources_.emplace(std::move(of), bucket{}).first;
  }
  fill(found->second, limits_.source_burst, limits_.source_per_second, now_ms);
  return &found->second;
}

bool log_limiter::admit(std::size_t event, std::string_view source, std::int64_t now_ms) {
  auto& own = events_[event];
  fill(own, limits_.event_burst, limits_.event_per_second, now_ms);
  auto* one = source_bucket(event, source, now_ms);
  if (own.tokens >= 1 && (one == nullptr || one->tokens >= 1)) {
    own.tokens -= 1;
    if (one != nullptr) one->tokens -= 1;
    // It says more than what was kept, and later.
    accounts_[event].last.clear();
    return true;
  }
  auto& missed = accounts_[event];
  if (missed.lines++ == 0) missed.since_ms = now_ms;
  ++held_back_;
  return false;
}

void log_limiter::keep(std::size_t event, std::string line) { accounts_[event].last = std::move(line); }

std::vector<log_limiter::account> log_limiter::take_due(std::int64_t now_ms) {
  std::vector<account> due;
  for (auto& one : accounts_) {
    if (one.lines == 0 || now_ms - one.since_ms < limits_.tell_interval_ms) continue;
    auto event = one.event;
    due.push_back(std::move(one));
    one = {};
    one.event = event;
  }
  return due;
}

std::vector<log_limiter::account> log_limiter::take_all() {
  auto saved = limits_.tell_interval_ms;
  limits_.tell_interval_ms = 0;
  std::int64_t latest = 0;
  for (const auto& one : accounts_)
    latest = std::max(latest, one.since_ms);
  auto all = take_due(latest);
  limits_.tell_interval_ms = saved;
  return all;
}

} // namespace picket
