#include "actors/health/minute_rates.hpp"

#include <algorithm>

namespace picket {

void minute_rates::sample(std::int64_t now_ms, std::vector<double> values) {
  if (!samples_.empty() && now_ms < samples_.back().at_ms) return;
  // What comes sooner than a step takes the place of the last one, so that their number is bounded.
  bool early = samples_.size() > 1 && now_ms - samples_[samples_.size() - 2].at_ms < step_ms_;
  if (early) samples_.pop_back();
  samples_.push_back({now_ms, std::move(values)});
  // The oldest that stays is the newest of those that are a window old.
  while (samples_.size() > 2 && samples_[1].at_ms <= now_ms - window_ms_)
    samples_.pop_front();
}

std::int64_t minute_rates::covered_ms() const {
  return samples_.empty() ? 0 : samples_.back().at_ms - samples_.front().at_ms;
}

double minute_rates::growth(std::size_t counter) const {
  if (samples_.size() < 2) return 0;
  const auto& first = samples_.front().values;
  const auto& last = samples_.back().values;
  if (counter >= first.size() || counter >= last.size()) return 0;
  return std::max(0.0, last[counter] - first[counter]);
}

double minute_rates::per_second(std::size_t counter) const {
  auto ms = covered_ms();
  return ms > 0 ? growth(counter) * 1000 / static_cast<double>(ms) : 0;
}

} // namespace picket
