// The two clocks, apart from all else: a program that simulates a node brings its own instead and is linked
// with those.

#include "base/time.hpp"

#include <chrono>

#include "base/faults/faults.hpp"

namespace picket {

std::int64_t wall_clock_ms() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()
         + faults::value(faults::fault::clock_offset_ms);
}

std::int64_t steady_clock_ms() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

} // namespace picket
