#pragma once

#include <cstddef>
#include <iosfwd>
#include <string>

namespace picket::ctl {

/// Longest line that is analysed; an agent sends none that is longer.
inline constexpr std::size_t log_line_bytes_max = 65'535;

enum class line_state { line, too_long, end };

/// Reads up to the next line break into `line`, without it and without a carriage return before it. Of a line
/// that is too long the rest is skipped.
line_state read_line(std::istream& in, std::string& line, std::size_t bytes_max = log_line_bytes_max);

} // namespace picket::ctl
