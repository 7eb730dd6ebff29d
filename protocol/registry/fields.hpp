#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace picket::protocol {

/// A key of a row that this version does not know, with its value as msgpack bytes.
/// A newer node wrote it; whoever rewrites the row writes it back unchanged.
struct unknown_field {
  std::string key;
  std::string value;

  friend bool operator==(const unknown_field&, const unknown_field&) = default;
};

using unknown_fields = std::vector<unknown_field>;

/// Names a command for ever, also over repeats: made where the request came in.
struct request_id {
  std::uint32_t node = 0;
  std::uint32_t boot = 0;
  std::uint64_t counter = 0;

  friend bool operator==(const request_id&, const request_id&) = default;
  friend auto operator<=>(const request_id&, const request_id&) = default;
};

} // namespace picket::protocol
