#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <string_view>

namespace picket::store {

/// Where the last whole record before `before` ends: behind its `record_end`, or 0. Read backwards, in
/// blocks. The number of the system's error if it cannot be read.
tl::expected<std::uint64_t, int> last_record_end(int fd, std::uint64_t before, std::string_view record_end);

} // namespace picket::store
