#include "cluster-tests/simulation/virtual_time.hpp"

#include "base/time.hpp"

namespace picket {

namespace {
std::int64_t wall_ms = 0;
std::int64_t steady_ms = 0;
} // namespace

// Instead of those of base/clock.cpp.
std::int64_t wall_clock_ms() noexcept { return wall_ms; }
std::int64_t steady_clock_ms() noexcept { return steady_ms; }

namespace simulation {

void virtual_time::start(std::int64_t at_wall_ms) {
  wall_ms = at_wall_ms;
  steady_ms = 1'000'000;
}
void virtual_time::advance(std::int64_t ms) {
  wall_ms += ms;
  steady_ms += ms;
}
std::int64_t virtual_time::now_ms() { return steady_ms; }

} // namespace simulation
} // namespace picket
