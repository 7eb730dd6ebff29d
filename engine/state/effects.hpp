#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// What the evaluation of one event would change (engine.md 1.3). The walk only collects; `commit` applies.
/// Later conditions of the same event look here first.
struct effects {
  struct mark_change {
    bool global = false; ///< in the windows of rules with global_frequency
    std::uint64_t sequence = 0;
    std::int32_t mark = 0;
  };
  struct diff_change {
    std::uint32_t rule_id = 0;
    std::string_view text; ///< the event's log
  };

  std::vector<mark_change> marks;
  std::vector<diff_change> diffs;
  std::vector<std::string> first_seen_keys; ///< in the order in which they were tested and found new
  std::int32_t own_mark = 0;                ///< rules.md 4.4: of the event itself

  void clear() {
    marks.clear();
    diffs.clear();
    first_seen_keys.clear();
    own_mark = 0;
  }
  /// The mark as this event sees it.
  std::int32_t mark_of(bool global, std::uint64_t sequence, std::int32_t stored) const {
    for (auto it = marks.rbegin(); it != marks.rend(); ++it)
      if (it->global == global && it->sequence == sequence) return it->mark;
    return stored;
  }
};

} // namespace picket::engine
