#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "actors/health/readiness.hpp"

namespace picket {

/// What the monitor found last, for those who ask on other threads: they must not wait for a disk.
class health_board {
public:
  struct view {
    std::vector<finding> findings;
    std::vector<disk_facts> disks;
    /// Names of the counters' series, and the growth of each over the last `minute_ms`.
    std::shared_ptr<const std::vector<std::string>> series;
    std::vector<double> growth;
    std::int64_t minute_ms = 0;
    std::int64_t judged_ms = 0; ///< steady clock

    /// Of one series; 0 if there is none.
    double grown(std::string_view name) const;
  };

  /// A monitor that has said nothing for so long is itself stuck, and the node is not known to be well.
  static constexpr std::int64_t stale_ms = 15'000;

  void publish(view latest);
  view look(std::int64_t now_ms) const;

private:
  mutable std::mutex mutex_;
  view latest_;
};

} // namespace picket
