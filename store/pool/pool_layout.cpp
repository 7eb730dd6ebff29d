#include "store/pool/pool_layout.hpp"

#include <algorithm>

namespace picket::store::layout {

namespace {

bool same_batch(const segment_identity& a, const segment_identity& b) noexcept {
  return a.node == b.node && a.boot == b.boot && a.sequence == b.sequence && a.shard == b.shard;
}

/// Follows `next` from the first segment, never more steps than there are segments.
void walk_chain(const segments& all, std::uint32_t first, chain_contents& to) {
  const auto identity = all.header(first).identity;
  for (std::uint32_t at = first; to.segments.size() < all.count;) {
    to.segments.push_back(at);
    auto next = all.header(at).next.load(std::memory_order_acquire);
    if (next == no_segment) return;
    if (next >= all.count) break;
    const auto& header = all.header(next);
    bool fits = header.checksum == checksum_of(header.identity) && same_batch(header.identity, identity)
                && header.identity.index == to.segments.size();
    if (!fits) break;
    at = next;
  }
  to.broken = true;
}

/// The bytes of a chain as one stream.
class chain_stream {
public:
  chain_stream(const segments& all, const std::vector<std::uint32_t>& chain)
      : all_(all)
      , chain_(chain) {
    load();
  }

  /// Steps over ends of segments; false at the end of the stream.
  bool more() noexcept {
    while (segment_ < chain_.size() && offset_ >= filled_) {
      ++segment_;
      offset_ = 0;
      load();
    }
    return segment_ < chain_.size();
  }
  /// Copies; false if the stream ends before.
  bool copy(std::byte* to, std::size_t size) noexcept {
    while (size > 0) {
      if (!more()) return false;
      auto part = std::min(size, filled_ - offset_);
      std::memcpy(to, all_.payload(chain_[segment_]) + offset_, part);
      to += part;
      size -= part;
      offset_ += part;
    }
    return true;
  }
  /// The next bytes in place, if they lie in one segment.
  const std::byte* in_place(std::size_t size) noexcept {
    if (!more() || filled_ - offset_ < size) return nullptr;
    return all_.payload(chain_[segment_]) + offset_;
  }
  void skip(std::size_t size) noexcept { offset_ += size; }
  void align() noexcept { offset_ = padded(offset_); }

private:
  void load() noexcept {
    filled_ = 0;
    if (segment_ >= chain_.size()) return;
    auto fill = all_.header(chain_[segment_]).fill.load(std::memory_order_acquire);
    filled_ = std::min<std::size_t>(fill, all_.payload_bytes());
  }

  const segments& all_;
  const std::vector<std::uint32_t>& chain_;
  std::size_t segment_ = 0;
  std::size_t offset_ = 0;
  std::size_t filled_ = 0;
};

} // namespace

chain_contents read_chain(const segments& all, std::uint32_t first) {
  chain_contents contents;
  walk_chain(all, first, contents);
  chain_stream stream{all, contents.segments};
  while (stream.more()) {
    record_header header;
    if (!stream.copy(reinterpret_cast<std::byte*>(&header), sizeof header)) {
      if (contents.broken) ++contents.damaged; // else killed while it was written: it never counted as read
      return contents;
    }
    if (header.mark != (record_mark ^ header.length)
        || header.length > std::size_t{all.count} * all.segment_bytes) {
      ++contents.damaged;
      return contents;
    }
    pool_record record;
    record.arrival_ms = header.arrival_ms;
    record.agent = header.agent;
    record.kind = static_cast<std::uint8_t>(header.kind);
    record.connection = header.connection;
    if (const auto* bytes = stream.in_place(header.length); bytes != nullptr || header.length == 0) {
      record.bytes = {bytes, header.length};
      stream.skip(header.length);
    } else {
      auto joined = std::make_unique<std::byte[]>(header.length + pool::slack_bytes);
      if (!stream.copy(joined.get(),
                       header.length)) { // killed while it was written: it never counted as read
        if (contents.broken) ++contents.damaged;
        return contents;
      }
      record.bytes = {joined.get(), header.length};
      contents.joined.push_back(std::move(joined));
    }
    stream.align();
    contents.records.push_back(record);
  }
  return contents;
}

} // namespace picket::store::layout
