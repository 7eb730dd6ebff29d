#include "actors/dispatcher/work.hpp"

#include <cstring>

#include "protocol/agent/record.hpp"

namespace picket {

std::string_view text_store::keep(std::string_view text) {
  auto size = text.size() + protocol::message_slack_bytes;
  char* into = nullptr;
  if (size > chunk_bytes / 4) {
    large_.push_back(std::make_unique<char[]>(size));
    into = large_.back().get();
  } else {
    if (chunk_ < chunks_.size() && used_ + size > chunk_bytes) {
      ++chunk_;
      used_ = 0;
    }
    if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique<char[]>(chunk_bytes));
    into = chunks_[chunk_].get() + used_;
    used_ += size;
  }
  std::memcpy(into, text.data(), text.size());
  std::memset(into + text.size(), 0, protocol::message_slack_bytes);
  return {into, text.size()};
}

void text_store::clear() {
  chunk_ = 0;
  used_ = 0;
  large_.clear();
}

} // namespace picket
