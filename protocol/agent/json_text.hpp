#pragma once

#include <string>
#include <string_view>

/// The little JSON that control messages carry, without a library: one text member of an object.

namespace picket::protocol {

enum class json_member : std::uint8_t {
  not_json, ///< the text does not begin with a JSON value, or nests deeper than 32
  absent,   ///< no object, or one without the key
  not_text, ///< the key's value is no string
  text,
};

struct json_text {
  json_member found = json_member::not_json;
  std::string value;
};

/// Looks for the key in the outermost object; the first one counts. What follows the value is ignored, as the
/// reference does. Linear in the text.
json_text find_json_text(std::string_view json, std::string_view key);

/// The text as a JSON string with its quotes; bytes that are no valid UTF-8 must have been replaced before.
std::string json_quoted(std::string_view text);

} // namespace picket::protocol
