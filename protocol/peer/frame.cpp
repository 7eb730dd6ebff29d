#include "protocol/peer/frame.hpp"

#include <algorithm>
#include <array>

#include "base/bytes.hpp"

namespace picket::protocol::peer {

namespace {

tl::unexpected<error> bad_length(std::size_t length) {
  return fail(errc::corrupt, "a frame of " + std::to_string(length) + " bytes from another node", {},
              "nothing: the connection is closed and made anew");
}

} // namespace

std::string framed(std::uint8_t version, std::uint8_t type, std::string_view body) {
  std::array<std::byte, frame_length_bytes> length;
  store_le32(length.data(), static_cast<std::uint32_t>(frame_head_bytes + body.size()));
  std::string bytes;
  bytes.reserve(frame_length_bytes + frame_head_bytes + body.size());
  bytes.append(as_text(length));
  bytes.push_back(static_cast<char>(version));
  bytes.push_back(static_cast<char>(type));
  bytes.append(body);
  return bytes;
}

result<std::size_t> frame_cutter::size_of(std::string_view bytes) {
  if (bytes.size() < frame_length_bytes) return std::size_t{0};
  std::size_t length = load_le32(as_bytes(bytes).data());
  if (length < frame_head_bytes || length > max_frame_bytes) {
    state_ = state::broken;
    std::string{}.swap(begun_);
    return bad_length(length);
  }
  return frame_length_bytes + length;
}

bool frame_cutter::give(std::string_view whole, const taker& take) {
  frame one;
  one.version = static_cast<std::uint8_t>(whole[frame_length_bytes]);
  one.type = static_cast<std::uint8_t>(whole[frame_length_bytes + 1]);
  one.body = whole.substr(frame_length_bytes + frame_head_bytes);
  if (take(one)) return true;
  state_ = state::stopped;
  return false;
}

result<bool> frame_cutter::complete(std::string_view& bytes, const taker& take) {
  // The length first: only then is it known how much more belongs to this frame.
  auto missing = frame_length_bytes - std::min(frame_length_bytes, begun_.size());
  auto part = bytes.substr(0, missing);
  begun_.append(part);
  bytes.remove_prefix(part.size());
  auto size = size_of(begun_);
  if (!size) return tl::unexpected<error>(size.error());
  if (*size == 0) return true;
  begun_.reserve(*size);
  part = bytes.substr(0, *size - begun_.size());
  begun_.append(part);
  bytes.remove_prefix(part.size());
  if (begun_.size() < *size) return true;
  std::string whole;
  whole.swap(begun_);
  return give(whole, take);
}

result<bool> frame_cutter::feed(std::string_view bytes, const taker& take) {
  if (state_ == state::broken) return bad_length(0);
  if (state_ == state::stopped) return false;
  if (!begun_.empty()) {
    auto more = complete(bytes, take);
    if (!more || !*more) return more;
  }
  while (!bytes.empty()) {
    auto size = size_of(bytes);
    if (!size) return tl::unexpected<error>(size.error());
    if (*size == 0 || bytes.size() < *size) break;
    if (!give(bytes.substr(0, *size), take)) return false;
    bytes.remove_prefix(*size);
  }
  begun_.append(bytes);
  return true;
}

} // namespace picket::protocol::peer
