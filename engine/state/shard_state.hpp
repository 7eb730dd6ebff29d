#pragma once

#include "engine/state/accumulate.hpp"
#include "engine/state/complete_lists.hpp"
#include "engine/state/diff_texts.hpp"
#include "engine/state/window_store.hpp"

#include <cstdint>
#include <memory>

namespace picket::engine {

struct shard_limits {
  std::size_t window_bytes = 6 * 1024 * 1024; ///< remembered events and their windows
  std::size_t diff_bytes = 1024 * 1024;       ///< texts of check_diff
  std::size_t accumulated_entries = 8192;
};

/// All that the analysis remembers for the agents of one shard. Private to the executor that has it; it travels with
/// the work (state/encode.hpp).
struct shard_state {
  explicit shard_state(hash_seed seed = {}, const shard_limits& limits = {})
      : windows(seed, limits.window_bytes)
      , diffs(limits.diff_bytes)
      , accumulated(limits.accumulated_entries) {}

  window_store windows;
  diff_texts diffs;
  accumulator accumulated;
  /// The greatest arrival second seen: the clock of the windows never steps back (engine.md 3.6).
  std::int64_t clock_s = 0;
  /// Set in tests: look-backs read these lists in place of the windows.
  std::unique_ptr<complete_lists> complete;

  friend bool operator==(const shard_state& a, const shard_state& b) {
    return a.clock_s == b.clock_s && a.windows == b.windows && a.diffs == b.diffs && a.accumulated == b.accumulated;
  }
};

} // namespace picket::engine
