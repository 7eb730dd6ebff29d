#include "actors/peer/lanes.hpp"

namespace picket::peer {

using namespace protocol::peer;

std::string_view name_of(lane which) noexcept {
  switch (which) {
  case lane::heartbeat:
    return "heartbeat";
  case lane::control:
    return "control";
  case lane::bulk:
    return "bulk";
  }
  return "unknown";
}

lanes::lanes(lane_limits limits, std::function<void()> on_room)
    : limits_{limits}
    , on_room_{std::move(on_room)} {}

void lanes::put_heartbeat(const message& beat) {
  auto& figures = of(lane::heartbeat);
  if (heartbeat_) ++figures.replaced;
  heartbeat_ = encode(beat);
  figures.queued_messages = 1;
  figures.queued_bytes = heartbeat_->size();
}

bool lanes::put_control(const message& what) {
  auto& figures = of(lane::control);
  auto body = encode_body(what);
  auto size = frame_length_bytes + frame_head_bytes + body.size();
  if (frame_head_bytes + body.size() > max_frame_bytes
      || figures.queued_bytes + size > limits_.control_bytes) {
    ++figures.refused;
    return false;
  }
  control_.push_back(framed(body_version, static_cast<std::uint8_t>(type_of(what)), body));
  ++figures.queued_messages;
  figures.queued_bytes += size;
  return true;
}

bool lanes::put_bulk(const message& what) {
  auto& figures = of(lane::bulk);
  auto body = encode_body(what);
  bool too_large = body.size() > max_message_bytes;
  if (too_large || figures.queued_bytes + body.size() > limits_.bulk_bytes) {
    ++figures.refused;
    room_wanted_ = room_wanted_ || !too_large;
    return false;
  }
  ++figures.queued_messages;
  figures.queued_bytes += body.size();
  bulk_.push_back({static_cast<std::uint8_t>(type_of(what)), std::move(body)});
  return true;
}

bool lanes::empty() const noexcept { return !heartbeat_ && control_.empty() && bulk_.empty() && !begun_; }

std::string lanes::sent(lane which, std::string frame, std::size_t freed_bytes, bool whole) {
  auto& figures = of(which);
  ++figures.sent_frames;
  figures.sent_bytes += frame.size();
  figures.queued_bytes -= freed_bytes;
  if (whole) --figures.queued_messages;
  return frame;
}

std::optional<std::string> lanes::next() {
  if (heartbeat_) {
    auto frame = std::move(*heartbeat_);
    heartbeat_.reset();
    auto size = frame.size();
    return sent(lane::heartbeat, std::move(frame), size, true);
  }
  if (!control_.empty()) {
    auto frame = std::move(control_.front());
    control_.pop_front();
    auto size = frame.size();
    return sent(lane::control, std::move(frame), size, true);
  }
  return next_bulk();
}

std::optional<std::string> lanes::next_bulk() {
  if (!begun_ && bulk_.empty()) return std::nullopt;
  std::string frame;
  if (!begun_) {
    auto message = std::move(bulk_.front());
    bulk_.pop_front();
    if (message.body.size() <= max_part_bytes)
      frame = sent(lane::bulk, framed(body_version, message.type, message.body), message.body.size(), true);
    else
      begun_.emplace(++last_message_, message.type, std::move(message.body));
  }
  if (begun_) {
    auto before = begun_->left_bytes();
    auto piece = begun_->next();
    frame = sent(lane::bulk, std::move(piece), before - begun_->left_bytes(), !begun_->more());
    if (!begun_->more()) begun_.reset();
  }
  if (room_wanted_ && of(lane::bulk).queued_bytes <= limits_.bulk_bytes / 2) {
    room_wanted_ = false;
    if (on_room_) on_room_();
  }
  return frame;
}

void lanes::clear() {
  for (auto& figures : figures_) {
    figures.lost += figures.queued_messages;
    figures.queued_messages = 0;
    figures.queued_bytes = 0;
  }
  heartbeat_.reset();
  control_.clear();
  bulk_.clear();
  begun_.reset();
  last_message_ = 0;
  room_wanted_ = false;
}

} // namespace picket::peer
