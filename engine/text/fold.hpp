#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace picket::engine {

/// Lower case of one byte; only `A` to `Z` change (decoders.md, "How to read": letter case is ASCII only).
constexpr char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

/// Equality without letter case.
constexpr bool equal_fold(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (fold(a[i]) != fold(b[i])) return false;
  return true;
}

/// The text in lower case.
std::string folded(std::string_view text);

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr bool is_letter(char c) noexcept { return is_lower(fold(c)); }

/// The one of `candidates` that a person most likely meant by `word`, compared without case; empty if none is
/// near. For "did you mean" in diagnostics.
std::string_view nearest(std::string_view word, const std::string_view* candidates, std::size_t count);

template <std::size_t N>
std::string_view nearest(std::string_view word, const std::array<std::string_view, N>& candidates) {
  return nearest(word, candidates.data(), N);
}

} // namespace picket::engine
