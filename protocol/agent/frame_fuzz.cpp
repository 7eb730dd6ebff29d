#include "protocol/agent/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <vector>

using namespace picket;
using namespace picket::protocol;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

struct outcome {
  std::vector<byte_buffer> records;
  frame_status end = frame_status::incomplete;
};

/// Reads the stream in pieces, as a connection does.
outcome read_in_pieces(byte_view stream, std::size_t piece) {
  outcome seen;
  byte_buffer buffer;
  while (!stream.empty()) {
    auto take = stream.first(std::min(piece, stream.size()));
    stream = stream.subspan(take.size());
    buffer.insert(buffer.end(), take.begin(), take.end());
    for (;;) {
      auto cut = cut_frame(buffer);
      seen.end = cut.status;
      must(cut.consumed <= buffer.size());
      if (cut.status == frame_status::incomplete) {
        must(cut.needed_bytes > buffer.size() && cut.needed_bytes <= frame_prefix_bytes + max_record_bytes);
        break;
      }
      if (cut.status != frame_status::complete) return seen;
      seen.records.emplace_back(cut.record.begin(), cut.record.end());
      buffer.erase(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(cut.consumed));
    }
  }
  return seen;
}

} // namespace

/// However TCP splits the bytes, the same frames come out; and written again they are the bytes that were
/// read.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  byte_view stream{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  auto whole = read_in_pieces(stream, stream.size() + 1);
  auto pieces = read_in_pieces(stream, data[0] % 16U + 1);
  must(whole.records == pieces.records && whole.end == pieces.end);
  byte_buffer again;
  for (const auto& record : whole.records)
    append_frame(again, record);
  must(again.size() <= stream.size() && std::equal(again.begin(), again.end(), stream.begin()));
  return 0;
}
