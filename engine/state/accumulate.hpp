#pragma once

#include "engine/event/event.hpp"
#include "engine/text/arena.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include <msgpack.hpp>

namespace picket::engine {

/// Fields carried from one event to later ones of the same host, decoder and id (decoders.md 4.8,
/// rules.md 6.2). Part of a shard's state; time comes in, in seconds.
class accumulator {
public:
  static constexpr std::int64_t lifetime_s = 120;
  static constexpr std::size_t value_bytes_max = 80;
  static constexpr std::size_t key_bytes_max = 255;
  static constexpr std::uint32_t sweep_every = 200;

  explicit accumulator(std::size_t entries_max = 8'192)
      : entries_max_(entries_max) {}

  /// Fills empty fields of the event and remembers its own. Does nothing unless the matched decoder has
  /// `accumulate` and the event has an id. Filled values live in `memory`.
  void apply(event& ev, std::int64_t now_s, arena& memory);

  std::size_t size() const noexcept { return entries_.size(); }
  /// Events that were not remembered because `entries_max` entries were alive.
  std::uint64_t refused() const noexcept { return refused_; }

  friend bool operator==(const accumulator& a, const accumulator& b) {
    return a.entries_ == b.entries_ && a.since_sweep_ == b.since_sweep_;
  }

  friend void encode(const accumulator& from, msgpack::packer<msgpack::sbuffer>& to);
  friend bool decode(const msgpack::object& from, accumulator& to);

private:
  struct entry {
    std::int64_t renewed_s = 0;
    std::array<std::string, 7> values; ///< in the order of `carried_fields`; empty: not stored
    friend bool operator==(const entry&, const entry&) = default;
  };
  void sweep(std::int64_t now_s);

  std::size_t entries_max_;
  std::unordered_map<std::string, entry> entries_;
  std::uint32_t since_sweep_ = 0;
  std::uint64_t refused_ = 0;
};

/// Writes the entries as a msgpack map; `decode` reads it back (false: not of that form, `to` is then empty).
void encode(const accumulator& from, msgpack::packer<msgpack::sbuffer>& to);
bool decode(const msgpack::object& from, accumulator& to);

} // namespace picket::engine
