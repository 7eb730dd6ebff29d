#pragma once

#include <algorithm>
#include <cstdint>

namespace picket {

/// A token bucket: so many records a second in the mean, `burst_s` seconds' worth at once. Not thread-safe.
class event_rate {
public:
  static constexpr std::int64_t burst_s = 10;

  /// 0: no limit.
  explicit event_rate(std::int64_t per_second = 0) noexcept
      : per_second_{per_second}
      , milli_tokens_{per_second * burst_s * 1'000} {}

  /// Takes one. Else the milliseconds until there is one.
  std::int64_t take(std::int64_t now_ms) noexcept {
    if (per_second_ <= 0) return 0;
    if (last_ms_ != 0)
      milli_tokens_ = std::min(per_second_ * burst_s * 1'000,
                               milli_tokens_ + std::max<std::int64_t>(0, now_ms - last_ms_) * per_second_);
    last_ms_ = now_ms;
    if (milli_tokens_ >= 1'000) {
      milli_tokens_ -= 1'000;
      return 0;
    }
    return (1'000 - milli_tokens_ + per_second_ - 1) / per_second_;
  }

private:
  std::int64_t per_second_;
  std::int64_t milli_tokens_;
  std::int64_t last_ms_ = 0;
};

} // namespace picket
