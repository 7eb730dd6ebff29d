#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/health/readiness.hpp"

namespace picket {

/// What the monitor found last, for those who ask on other threads: they must not wait for a disk.
class health_board {
public:
  struct view {
    std::vector<finding> findings;
    std::vector<disk_facts> disks;
    /// Growth of each counter over the last `minute_ms`, by series.
    std::vector<std::pair<std::string, double>> minute;
    std::int64_t minute_ms = 0;
    std::int64_t judged_ms = 0; ///< steady clock

    /// Of a series; 0 if there is none.
    double grown(const std::string& series) const;
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
