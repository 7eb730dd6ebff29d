#include "store/registry/key_text.hpp"

#include <optional>

namespace picket::store {

namespace {

constexpr std::string_view digits = "0123456789abcdef";

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

/// The bytes of exactly `bytes` pairs of lower-case digits.
std::optional<std::string> bytes_of(std::string_view text, std::size_t bytes) {
  if (text.size() != bytes * 2) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    auto high = digits.find(text[i]);
    auto low = digits.find(text[i + 1]);
    if (high == digits.npos || low == digits.npos) return std::nullopt;
    out += static_cast<char>(high << 4U | low);
  }
  return out;
}

bool take(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

} // namespace

std::string key_text(registry_table table, std::string_view key) {
  switch (table) {
  case registry_table::agents:
    return "agent/" + hex_of(key);
  case registry_table::removed:
    return "removed/" + hex_of(key);
  case registry_table::groups:
    return "group/" + std::string{key};
  case registry_table::head:
    return "head";
  case registry_table::log:
    return "log/" + hex_of(key);
  case registry_table::other:
    break;
  }
  return std::string{key};
}

std::pair<registry_table, std::string> parse_key_text(std::string_view text) {
  auto rest = text;
  if (rest == "head") return {registry_table::head, {}};
  if (take(rest, "agent/"))
    if (auto key = bytes_of(rest, 4)) return {registry_table::agents, std::move(*key)};
  if (take(rest = text, "removed/"))
    if (auto key = bytes_of(rest, 4)) return {registry_table::removed, std::move(*key)};
  if (take(rest = text, "log/"))
    if (auto key = bytes_of(rest, 8)) return {registry_table::log, std::move(*key)};
  if (take(rest = text, "group/") && !rest.empty()) return {registry_table::groups, std::string{rest}};
  return {registry_table::other, std::string{text}};
}

} // namespace picket::store
