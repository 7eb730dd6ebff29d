// Byte 0: options; then a text. No field without a parsed text, never more fields than allowed; and what is
// printed reads back as what it was.

#include "engine/event/json.hpp"
#include "engine/event/json_fields.hpp"
#include "engine/testing/fuzz.hpp"

#include <cstdint>

using namespace picket::engine;
using testing::must;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  constexpr std::size_t bytes_max = 1 << 20;
  static arena memory;
  memory.reset();

  event ev;
  json_options options{(data[0] & 1) != 0, (data[0] & 2) != 0, 8, bytes_max};
  auto done = decode_json(ev, text, options, memory);
  must(ev.dynamics.size() <= 8);
  if (!done.parsed) {
    must(ev.dynamics.empty());
    for (const auto& each : ev.statics)
      must(!each);
  }

  std::size_t end = 0;
  const auto* value = json::parse(text, memory, &end);
  must(end <= text.size() && (value != nullptr) == done.parsed);
  if (!value) return 0;
  must(json::parse(text.substr(0, end), memory) != nullptr);
  std::string printed;
  if (!json::print(*value, printed, bytes_max)) return 0;
  const auto* again = json::parse(printed, memory, &end);
  must(again && end == printed.size());
  std::string reprinted;
  must(json::print(*again, reprinted, bytes_max) && reprinted == printed);
  return 0;
}
