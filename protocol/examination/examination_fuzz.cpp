#include "protocol/examination/frames.hpp"

#include <algorithm>
#include <cstdlib>

using namespace picket;
using namespace picket::protocol::examination;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

/// What decodes is the same when it is written and read again.
template <class Decode>
void check(std::string_view body, Decode decode) {
  auto value = decode(body);
  if (!value) {
    must(value.error().code == errc::corrupt);
    return;
  }
  auto frame = encode(*value);
  auto again = decode(std::string_view{frame}.substr(4));
  must(again.has_value() && *again == *value);
}

} // namespace

/// Any bytes on either side of the pipe: no crash; frames do not depend on how the bytes are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::size_t piece = 1 + data[0] % 64;
  std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  frame_cutter whole{1 << 20};
  frame_cutter pieces{1 << 20};
  std::vector<std::string> in_pieces;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    pieces.feed(bytes.substr(at, piece));
    for (auto body = pieces.next(); body && !body->empty(); body = pieces.next())
      in_pieces.emplace_back(*body);
  }
  whole.feed(bytes);
  std::size_t count = 0;
  for (auto body = whole.next(); body && !body->empty(); body = whole.next(), ++count) {
    must(count < in_pieces.size() && in_pieces[count] == *body);
    check(*body, decode_step);
    check(*body, decode_request);
  }
  must(count == in_pieces.size());
  check(bytes, decode_step);
  check(bytes, decode_request);
  return 0;
}
