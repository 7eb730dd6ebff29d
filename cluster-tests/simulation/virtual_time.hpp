#pragma once

#include <cstdint>

namespace picket::simulation {

/// The clocks of this program: they stand still until they are moved. (base/clock.cpp is not linked.)
struct virtual_time {
  static void start(std::int64_t wall_ms);
  static void advance(std::int64_t ms);
  static std::int64_t now_ms();
};

} // namespace picket::simulation
