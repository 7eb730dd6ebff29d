#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace picket::api {

/// Reads the token of the admin endpoint, or makes file and token (mode 0600) if there is none. A file that
/// others may read is refused. Errors: permission, io, corrupt.
result<std::string> load_or_make_token(const std::string& file);

/// Reads it without making one: for clients. Errors: io, permission, corrupt.
result<std::string> read_token(const std::string& file);

/// Whether the header is "Bearer <token>"; takes equally long for every wrong token of a length.
bool authorized(std::string_view header, std::string_view token) noexcept;

} // namespace picket::api
