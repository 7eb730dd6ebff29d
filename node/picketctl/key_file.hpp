#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace picket::ctl {

/// Writes a file that only its owner may read, whole or not at all: an existing one is replaced at the end.
/// Errors: io.
result<void> write_private_file(const std::string& path, std::string_view bytes);

} // namespace picket::ctl
