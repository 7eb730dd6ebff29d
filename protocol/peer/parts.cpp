#include "protocol/peer/parts.hpp"

#include <algorithm>

namespace picket::protocol::peer {

std::string part_writer::next() {
  part piece;
  piece.message = number_;
  piece.offset = static_cast<std::uint32_t>(at_);
  piece.total = static_cast<std::uint32_t>(body_.size());
  piece.version = body_version;
  piece.type = type_;
  piece.bytes = body_.substr(at_, max_part_bytes);
  at_ += piece.bytes.size();
  return encode(piece);
}

result<std::optional<assembled>> part_reader::take(part piece) {
  auto out_of_order = [&](const char* why) {
    return fail(errc::corrupt, "a piece of a message of another node " + std::string{why}, "part",
                "nothing: the connection is closed and made anew");
  };
  if (!begun_) {
    if (piece.offset != 0) return out_of_order("comes without its beginning");
    if (piece.message <= last_message_) return out_of_order("has a number that was used");
    begun_ = true;
    last_message_ = piece.message;
    head_ = {piece.message, 0, piece.total, piece.version, piece.type, {}};
  } else if (piece.message != head_.message || piece.total != head_.total || piece.type != head_.type
             || piece.version != head_.version) {
    return out_of_order("belongs to another one than the piece before it");
  } else if (piece.offset != body_.size()) {
    return out_of_order("does not follow the piece before it");
  }
  if (piece.total > max_message_bytes || piece.bytes.size() > piece.total - body_.size())
    return out_of_order("is too long");
  if (body_.empty() && piece.bytes.size() == piece.total)
    body_ = std::move(piece.bytes);
  else
    body_ += piece.bytes;
  if (body_.size() < head_.total) return std::nullopt;
  begun_ = false;
  assembled whole{head_.version, head_.type, {}};
  whole.body.swap(body_);
  return whole;
}

} // namespace picket::protocol::peer
