#pragma once

#include <optional>
#include <string_view>

#include <msgpack.hpp>

// How maps of other nodes become trees. Included by sources only: msgpack is a heavy header.

namespace picket::protocol::peer {

inline constexpr std::size_t max_depth = 8;
inline constexpr std::size_t max_elements = 4096;       ///< of one array or map
inline constexpr std::size_t max_elements_all = 65'536; ///< of all together

/// One msgpack value and nothing behind it, counted before any memory is taken for it. Texts of the tree
/// point into `bytes`. Nothing: no such value, or one beyond the limits.
std::optional<msgpack::object_handle> unpack_guarded(std::string_view bytes) noexcept;

} // namespace picket::protocol::peer
