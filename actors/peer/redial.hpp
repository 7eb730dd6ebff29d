#pragma once

#include <cstdint>
#include <random>

namespace picket::peer {

struct redial_limits {
  std::int64_t least_ms = 100;
  std::int64_t most_ms = 5'000;
  std::int64_t good_after_ms = 5'000; ///< a connection that stood so long was none that failed
};

/// How long to wait before the next dial: twice as long after each failure, from the least to the most, and
/// of that between a half and the whole by chance, so that nodes that lost each other do not meet again and
/// again at the same moment.
class redial {
public:
  redial(redial_limits limits, std::uint32_t seed)
      : limits_{limits}
      , random_{seed} {}

  /// A dial failed, or a connection ended that had stood for `stood_ms`.
  std::int64_t next_pause_ms(std::int64_t stood_ms = 0) {
    if (stood_ms >= limits_.good_after_ms) failures_ = 0;
    auto whole_ms = limits_.least_ms;
    for (int i = 0; i < failures_ && whole_ms < limits_.most_ms; ++i)
      whole_ms *= 2;
    if (whole_ms > limits_.most_ms) whole_ms = limits_.most_ms;
    if (whole_ms < limits_.most_ms) ++failures_;
    return std::uniform_int_distribution<std::int64_t>{whole_ms / 2, whole_ms}(random_);
  }

private:
  redial_limits limits_;
  std::mt19937 random_;
  int failures_ = 0;
};

} // namespace picket::peer
