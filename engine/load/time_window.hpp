#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::engine {

/// The `time` element of a rule (rules.md 3.6). Minutes of the local day, 0 to 1439.
struct time_window {
  std::uint16_t begin = 0;
  std::uint16_t end = 0;
  bool negated = false;
  bool negation_lost = false; ///< a `!` before a window over midnight has no effect; lint says so

  bool contains(unsigned minute_of_day) const noexcept;
};

/// Nothing if the text is not of the form of rules.md 3.6.
std::optional<time_window> parse_time_window(std::string_view text) noexcept;

/// The `weekday` element: bit 0 is Sunday. Nothing if a name is unknown, none is given, or `!` is used.
std::optional<std::uint8_t> parse_weekdays(std::string_view text);

/// Minute of the local day and day of the week (0 is Sunday) of a time in seconds since the epoch, local by
/// arithmetic.
struct local_moment {
  unsigned minute_of_day = 0;
  unsigned weekday = 0;
};
local_moment local_moment_of(std::int64_t epoch_s, std::int32_t utc_offset_s) noexcept;

} // namespace picket::engine
