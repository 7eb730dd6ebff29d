#pragma once

#include "engine/text/arena.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace picket::engine::json {

enum class kind : std::uint8_t { null, boolean_false, boolean_true, number, string, array, object };

/// A parsed value; lives in the arena, texts are views into it or into the parsed text.
struct value {
  json::kind kind = kind::null;
  std::string_view key;  ///< of a member of an object, unescaped
  std::string_view text; ///< of a string, unescaped
  double number = 0;
  const value* first = nullptr; ///< of arrays and objects
  const value* next = nullptr;  ///< sibling
};

inline constexpr std::size_t depth_max = 1000;

/// Reads one value from the front of `text`, as the reference's JSON library does (decoders.md 4.6): a byte
/// order mark and bytes 01 to 20 are white space, numbers may have leading zeros, strings any raw byte. Null
/// on any error. `end`, if given, is set to the number of bytes read; what follows is the caller's. Linear in
/// the text; nesting is limited.
const value* parse(std::string_view text, arena& memory, std::size_t* end = nullptr);

/// Whether nothing but white space follows.
bool is_white_space(std::string_view text) noexcept;

/// Prints as the reference does (4.6, mode `array`). False, and `out` incomplete, if it would exceed
/// `bytes_max`.
bool print(const value& from, std::string& out, std::size_t bytes_max);

/// A number outside of arrays: integers of 32 bits as such, others with six decimals, cut at 63 characters.
/// `whole` is set to false if it was cut.
std::string number_text(double number, bool* whole = nullptr);

} // namespace picket::engine::json
