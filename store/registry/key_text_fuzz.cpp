#include <cstdlib>

#include "store/registry/key_text.hpp"

/// Any key that somebody wrote below our prefix: it is read, and spelled again it is the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  auto [table, key] = picket::store::parse_key_text(text);
  if (picket::store::key_text(table, key) != text) std::abort();
  return 0;
}
