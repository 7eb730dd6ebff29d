#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace picket {

/// How much counters have grown over the last minute. Pure: values and the time (milliseconds of a clock that
/// never goes back) come in, about once a second.
///
/// Bound: one sample for each `step_ms` of the window.
class minute_rates {
public:
  explicit minute_rates(std::int64_t window_ms = 60'000, std::int64_t step_ms = 1'000)
      : window_ms_{window_ms}
      , step_ms_{step_ms} {}

  /// Values of all counters, always the same ones in the same order.
  void sample(std::int64_t now_ms, std::vector<double> values);
  /// Growth of the counter with this number over `covered_ms`; 0 before the second sample.
  double growth(std::size_t counter) const;
  double per_second(std::size_t counter) const;
  /// From the oldest sample to the newest: less than the window just after the start, more behind a gap.
  std::int64_t covered_ms() const;
  std::size_t samples() const noexcept { return samples_.size(); }

private:
  struct moment {
    std::int64_t at_ms = 0;
    std::vector<double> values;
  };
  std::int64_t window_ms_;
  std::int64_t step_ms_;
  std::deque<moment> samples_;
};

} // namespace picket
