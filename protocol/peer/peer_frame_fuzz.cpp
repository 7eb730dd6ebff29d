// What one node reads of another. The input is a script of up to 16 steps: an operation, a length, bytes.
// Some steps are raw bytes of the stream, some a whole frame of a type around the given body, so that what
// stands behind the frame is reached as often as the frame itself.
//
// Holds: however the stream is cut, the same frames come out; the cutter and the assembler keep no more than
// their limits; what decodes, encodes to what decodes to the same.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "protocol/peer/parts.hpp"

namespace {

using namespace picket;
using namespace picket::protocol::peer;

void must(bool holds) {
  if (!holds) std::abort();
}

std::string stream_of(std::string_view script) {
  std::string stream;
  for (int step = 0; step < 16 && script.size() >= 2; ++step) {
    auto operation = static_cast<unsigned char>(script[0]);
    auto size =
        std::min<std::size_t>(static_cast<unsigned char>(script[1]) * std::size_t{4}, script.size() - 2);
    auto bytes = script.substr(2, size);
    script.remove_prefix(2 + size);
    if (operation < 16)
      stream += bytes;
    else
      stream += framed(operation == 16 ? 2 : 1, operation % 16, bytes);
  }
  return stream;
}

struct outcome {
  std::vector<std::string> frames;
  bool broken = false;
};

outcome read_in_pieces(std::string_view stream, std::size_t piece) {
  outcome seen;
  frame_cutter cutter;
  while (!stream.empty() && !seen.broken) {
    auto fed = cutter.feed(stream.substr(0, piece), [&](const frame& one) {
      seen.frames.push_back(framed(one.version, one.type, one.body));
      return true;
    });
    seen.broken = !fed;
    must(cutter.buffered_bytes() <= frame_length_bytes + max_frame_bytes);
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  return seen;
}

void check(const frame& one) {
  auto read = decode(one);
  if (!read) {
    must(read.error().code == errc::corrupt && !to_string(read.error()).empty());
    return;
  }
  if (!*read) return;
  auto body = encode_body(**read);
  auto again = decode({body_version, static_cast<std::uint8_t>(type_of(**read)), body});
  must(again && *again && **again == **read);
  must(encode_body(**again) == body);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  auto stream = stream_of({reinterpret_cast<const char*>(data) + 1, size - 1});
  auto whole = read_in_pieces(stream, stream.size() + 1);
  auto pieces = read_in_pieces(stream, data[0] % 64U + 1);
  must(whole.frames == pieces.frames && whole.broken == pieces.broken);
  part_reader reader;
  bool believed = true;
  for (const auto& bytes : whole.frames) {
    frame one{static_cast<std::uint8_t>(bytes[4]), static_cast<std::uint8_t>(bytes[5]),
              std::string_view{bytes}.substr(6)};
    check(one);
    auto read = decode(one);
    if (!believed || !read || !*read) continue;
    auto* piece = std::get_if<part>(&**read);
    if (piece == nullptr) continue;
    auto put = reader.take(std::move(*piece));
    believed = put.has_value();
    must(reader.buffered_bytes() <= max_message_bytes);
    if (put && *put) check({(*put)->version, (*put)->type, (*put)->body});
  }
  return 0;
}
