// Any bytes as a state or as changes of one: no crash, bounded memory, and what is read can be written and
// read again.
#include "engine/state/encode.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::engine;
  const byte_view bytes{reinterpret_cast<const std::byte*>(data), size};
  if (auto decoded = decode_state(bytes)) {
    byte_buffer written;
    encode(**decoded, written);
    const auto again = decode_state(written);
    must(again.has_value(), "what was written does not read");
    must(**again == **decoded, "what was written reads differently");
    (*decoded)->windows.expire(INT64_MAX);
    must((*decoded)->windows.bytes() == 0, "bytes are left when nothing is");
  }
  shard_state copy;
  if (apply_changes(copy, bytes)) must(apply_changes(copy, bytes).has_value(), "changes do not apply twice");
  return 0;
}
