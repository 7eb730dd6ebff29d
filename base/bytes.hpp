#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace picket {

using byte_view = std::span<const std::byte>;
using byte_buffer = std::vector<std::byte>;

inline byte_view as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view as_text(byte_view bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Lower-case hex of the bytes.
std::string to_hex(byte_view bytes);
/// The bytes of a hex text of either case; nothing if a digit is wrong or one is missing.
std::optional<byte_buffer> from_hex(std::string_view text);

/// Little-endian 32 bit, the order of the agent protocol's frames.
inline std::uint32_t load_le32(const std::byte* at) noexcept {
  return std::to_integer<std::uint32_t>(at[0]) | std::to_integer<std::uint32_t>(at[1]) << 8
         | std::to_integer<std::uint32_t>(at[2]) << 16 | std::to_integer<std::uint32_t>(at[3]) << 24;
}

inline void store_le32(std::byte* at, std::uint32_t value) noexcept {
  for (int i = 0; i < 4; ++i)
    at[i] = static_cast<std::byte>(value >> (8 * i));
}

} // namespace picket
