#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace picket::engine {

/// Appends `text` as the inside of a JSON string (events-and-alerts.md 10.9); each byte of an invalid UTF-8
/// sequence becomes U+FFFD.
void append_escaped(std::string& to, std::string_view text);

/// As `append_escaped`, but stops before `bytes_max` bytes would be exceeded, at a character border.
void append_escaped(std::string& to, std::string_view text, std::size_t bytes_max);

/// Appends a complete JSON string, with quotes.
void append_json_string(std::string& to, std::string_view text);

/// Length in bytes of the well-formed UTF-8 character at the front of `text`, 0 if it is none.
std::size_t utf8_length(std::string_view text) noexcept;

} // namespace picket::engine
