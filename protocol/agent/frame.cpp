#include "protocol/agent/frame.hpp"

#include <cstring>

namespace picket::protocol {

frame_cut cut_frame(byte_view buffered) noexcept {
  frame_cut cut;
  if (buffered.size() < frame_prefix_bytes) {
    cut.needed_bytes = frame_prefix_bytes;
    return cut;
  }
  std::size_t length = load_le32(buffered.data());
  if (length > max_record_bytes) {
    cut.status = frame_status::too_large;
    return cut;
  }
  cut.needed_bytes = frame_prefix_bytes + length;
  if (length == 0) {
    cut.status = frame_status::empty;
    cut.consumed = frame_prefix_bytes;
  } else if (buffered.size() >= cut.needed_bytes) {
    cut.status = frame_status::complete;
    cut.record = buffered.subspan(frame_prefix_bytes, length);
    cut.consumed = cut.needed_bytes;
  }
  return cut;
}

void append_frame(byte_buffer& to, byte_view record) {
  auto begin = open_frame(to);
  to.insert(to.end(), record.begin(), record.end());
  close_frame(to, begin);
}

std::size_t open_frame(byte_buffer& to) {
  auto begin = to.size();
  to.resize(begin + frame_prefix_bytes);
  return begin;
}

void close_frame(byte_buffer& to, std::size_t frame_begin) {
  auto length = to.size() - frame_begin - frame_prefix_bytes;
  store_le32(to.data() + frame_begin, static_cast<std::uint32_t>(length));
}

bool is_ping(byte_view record) noexcept {
  return record.size() >= ping_record.size() && as_text(record.first(ping_record.size())) == ping_record;
}

} // namespace picket::protocol
