#include "net/join_token.hpp"

#include <cstdlib>

/// Any text: no crash; a token that reads, written out, reads as the same one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::net;
  auto must = [](bool holds) {
    if (!holds) std::abort();
  };
  auto read = parse_join_token({reinterpret_cast<const char*>(data), size});
  if (!read) {
    must(read.error().code == picket::errc::join_token_invalid);
    return 0;
  }
  auto again = parse_join_token(to_text(*read));
  must(again && again->secret == read->secret && again->ca == read->ca);
  return 0;
}
