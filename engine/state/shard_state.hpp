#pragma once

#include "engine/state/accumulate.hpp"
#include "engine/state/complete_lists.hpp"
#include "engine/state/diff_texts.hpp"
#include "engine/state/window_store.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace picket::engine {

struct shard_limits {
  std::size_t window_bytes = 6 * 1024 * 1024; ///< remembered events and their windows
  std::size_t diff_bytes = 1024 * 1024;       ///< texts of check_diff
  std::size_t accumulated_entries = 8192;
};

/// One change of a shard's state, in the order in which they happened.
struct state_change {
  struct remembered {
    event_record record;
    std::vector<window_entry> entries;
  };
  struct marked {
    std::uint64_t sequence = 0;
    std::int32_t mark = 0;
  };
  struct diff_stored {
    std::string host;
    std::uint32_t rule_id = 0;
    std::string text;
  };
  std::variant<remembered, marked, diff_stored> what;
};

/// All that the analysis remembers for the agents of one shard. Private to the executor that has it; it
/// travels with the work (state/encode.hpp).
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

  /// Changes are kept for `encode_changes` from now on.
  bool track_changes = false;
  std::uint64_t change_number = 0; ///< changes ever made
  std::vector<state_change> changes;
  std::uint64_t accumulated_number = 0; ///< events that the accumulator has seen
  std::uint64_t accumulated_sent = 0;   ///< the same when changes were encoded last

  // The ways in which an event changes the state.
  void remember(event_record record, const std::vector<window_entry>& entries) {
    note(state_change::remembered{track_changes ? record : event_record{}, entries});
    windows.remember(std::move(record), entries);
  }
  void set_mark(std::uint64_t sequence, std::int32_t mark) {
    note(state_change::marked{sequence, mark});
    windows.set_mark(sequence, mark);
  }
  void store_diff(std::string_view host, std::uint32_t rule_id, std::string_view text) {
    note(state_change::diff_stored{std::string{host}, rule_id, std::string{text}});
    diffs.store(host, rule_id, text);
  }

  friend bool operator==(const shard_state& a, const shard_state& b) {
    return a.clock_s == b.clock_s && a.change_number == b.change_number
           && a.accumulated_number == b.accumulated_number && a.windows == b.windows && a.diffs == b.diffs
           && a.accumulated == b.accumulated;
  }

private:
  template <class Change>
  void note(Change&& change) {
    ++change_number;
    if (!track_changes) return;
    state_change kept;
    kept.what = std::forward<Change>(change);
    changes.push_back(std::move(kept));
  }
};

} // namespace picket::engine
