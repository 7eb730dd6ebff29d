#include "engine/render/escape.hpp"

#include <cstdint>
#include <limits>

namespace picket::engine {

namespace {

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned char>(text[at]);
}

bool continues(std::string_view text, std::size_t at, unsigned least, unsigned most) noexcept {
  return at < text.size() && byte_at(text, at) >= least && byte_at(text, at) <= most;
}

/// Bytes that stand for themselves in a JSON string.
bool plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

/// The escape of one byte below 0x80 that is not plain.
std::string_view escape_of(char c, char (&buffer)[7]) noexcept {
  switch (c) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\b':
    return "\\b";
  case '\f':
    return "\\f";
  case '\n':
    return "\\n";
  case '\r':
    return "\\r";
  case '\t':
    return "\\t";
  default:
    break;
  }
  constexpr char digits[] = "0123456789abcdef";
  buffer[0] = '\\';
  buffer[1] = 'u';
  buffer[2] = buffer[3] = '0';
  buffer[4] = digits[static_cast<unsigned char>(c) >> 4];
  buffer[5] = digits[static_cast<unsigned char>(c) & 15];
  return {buffer, 6};
}

} // namespace

std::size_t utf8_length(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const unsigned lead = byte_at(text, 0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(text, 1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    // No overlong forms, no surrogates.
    const unsigned least = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned most = lead == 0xED ? 0x9F : 0xBF;
    return continues(text, 1, least, most) && continues(text, 2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned least = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned most = lead == 0xF4 ? 0x8F : 0xBF;
    return continues(text, 1, least, most) && continues(text, 2, 0x80, 0xBF) && continues(text, 3, 0x80, 0xBF)
               ? 4
               : 0;
  }
  return 0;
}

void append_escaped(std::string& to, std::string_view text, std::size_t bytes_max) {
  std::size_t left = bytes_max;
  char buffer[7];
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && plain(text[end]))
      ++end;
    if (end > at) {
      const std::size_t length = end - at < left ? end - at : left;
      to.append(text.data() + at, length);
      left -= length;
      if (length < end - at) return;
      at = end;
      continue;
    }
    std::string_view piece;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      piece = escape_of(text[at], buffer);
    } else if (const auto length = utf8_length(text.substr(at))) {
      piece = text.substr(at, length);
      taken = length;
    } else {
      piece = "\xEF\xBF\xBD";
    }
    if (piece.size() > left) return;
    to.append(piece);
    left -= piece.size();
    at += taken;
  }
}

void append_escaped(std::string& to, std::string_view text) {
  append_escaped(to, text, std::numeric_limits<std::size_t>::max());
}

void append_json_string(std::string& to, std::string_view text) {
  to.push_back('"');
  append_escaped(to, text);
  to.push_back('"');
}

} // namespace picket::engine
