#include "protocol/registry/commands.hpp"
#include "protocol/registry/rows.hpp"

#include <cstdlib>

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

/// What decodes, encodes to bytes that decode to the same and encode to the same.
template <class Decode>
void check(std::string_view bytes, Decode decode) {
  auto value = decode(bytes);
  if (!value) {
    must(!to_string(value.error()).empty());
    return;
  }
  auto written = encode(*value);
  auto again = decode(written);
  must(again.has_value());
  must(*again == *value);
  must(encode(*again) == written);
}

} // namespace

/// Any bytes: no crash, and decoding and encoding are inverse. The first byte chooses the table.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::protocol;
  if (size == 0) return 0;
  std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 6) {
  case 0:
    check(bytes, decode_agent_row);
    break;
  case 1:
    check(bytes, decode_removed_row);
    break;
  case 2:
    check(bytes, decode_group_row);
    break;
  case 3:
    check(bytes, decode_head_row);
    break;
  case 4:
    check(bytes, decode_log_row);
    break;
  default:
    check(bytes, decode_command);
    break;
  }
  return 0;
}
