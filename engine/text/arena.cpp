#include "engine/text/arena.hpp"

#include <algorithm>
#include <cstring>

namespace picket::engine {

arena::arena(std::size_t block_bytes)
    : block_bytes_(std::max<std::size_t>(block_bytes, 256)) {}
arena::~arena() = default;

char* arena::allocate(std::size_t size) {
  if (size > left_ || !next_) {
    std::size_t bytes = std::max(block_bytes_, size);
    block fresh{std::make_unique<char[]>(bytes + slack_bytes), bytes};
    next_ = fresh.bytes.get();
    left_ = bytes;
    blocks_.push_back(std::move(fresh));
  }
  char* piece = next_;
  next_ += size;
  left_ -= size;
  used_ += size;
  return piece;
}

std::string_view arena::copy(std::string_view text) { return join(text, {}); }

std::string_view arena::join(std::string_view a, std::string_view b) {
  char* piece = allocate(a.size() + b.size());
  if (!a.empty()) std::memcpy(piece, a.data(), a.size());
  if (!b.empty()) std::memcpy(piece + a.size(), b.data(), b.size());
  return {piece, a.size() + b.size()};
}

void arena::reset() noexcept {
  used_ = 0;
  if (blocks_.empty()) return;
  blocks_.erase(blocks_.begin() + 1, blocks_.end());
  // An oversize first block is as good as any: events of that size come again.
  next_ = blocks_.front().bytes.get();
  left_ = blocks_.front().size;
}

} // namespace picket::engine
