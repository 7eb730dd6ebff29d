#pragma once

#include "engine/event/event.hpp"
#include "engine/text/arena.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace picket::engine {

struct json_options {
  bool null_discard = false; ///< `json_null_field`
  bool array_csv = false;    ///< `json_array_structure`
  std::size_t dynamic_fields_max = 256;
  std::size_t computed_bytes_max = 1024 * 1024; ///< printed arrays of this call together
};

struct json_result {
  bool parsed = false;
  std::uint64_t fields_dropped = 0; ///< above `dynamic_fields_max`
  std::uint64_t texts_dropped = 0;  ///< above `computed_bytes_max`
};

/// Turns a JSON object into fields of the event (decoders.md 4.6). On an error in the text: no field at all.
json_result decode_json(event& ev, std::string_view text, const json_options& options, arena& memory);

} // namespace picket::engine
