#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace picket::protocol {

/// Standard alphabet, with padding.
std::string encode_base64(std::string_view bytes);
/// Nothing unless it is whole and padded; bits that no byte needs may be anything.
std::optional<std::string> decode_base64(std::string_view text);

} // namespace picket::protocol
