#pragma once

#include <cstdint>
#include <string>

namespace picket {

/// Milliseconds since 1970, the machine's clock.
std::int64_t wall_clock_ms() noexcept;
/// Milliseconds of a clock that never jumps; for time limits.
std::int64_t steady_clock_ms() noexcept;

/// Processor time that the calling thread has used.
std::int64_t thread_cpu_ns() noexcept;

/// "2025-03-04T10:11:12.345Z".
std::string format_utc(std::int64_t ms);

/// Seconds east of Greenwich of the machine's local time at that moment.
std::int32_t local_utc_offset_s(std::int64_t ms) noexcept;

} // namespace picket
