#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"

namespace picket::ctl {

/// "2025-06-04T12:00:00Z" (UTC) or without the Z (local time); the seconds may be missing. Milliseconds since
/// 1970. Errors: invalid_argument.
result<std::int64_t> parse_moment(const std::string& text);

} // namespace picket::ctl
