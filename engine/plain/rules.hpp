#pragma once

#include "engine/load/ruleset.hpp"
#include "engine/plain/scratch.hpp"
#include "engine/state/first_seen.hpp"
#include "engine/state/global_windows.hpp"
#include "engine/state/shard_state.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace picket::engine {

class trace;

/// How often a rule was reached and held; plain integers, by rule index.
struct rule_tally {
  std::uint64_t tested = 0;
  std::uint64_t held = 0;
  std::uint64_t verdicts = 0;
  std::uint64_t alerts = 0;
};

/// What the owner of a global window answered (engine.md 1.5).
struct window_answer {
  bool holds = false;
  std::vector<std::string> previous; ///< texts of counted entries, newest first, at most 11
};

/// Answers about global windows of other nodes, for the event that is being walked.
class remote_windows {
public:
  virtual ~remote_windows() = default;
  /// Null: not asked yet. Then the walk goes on as if the look-back failed, and the event stays open.
  virtual const window_answer* look_up(const rule& composite, const window_index& index,
                                       std::string_view key) = 0;
};

/// What one walk reads. It changes none of it.
struct walk_input {
  const ruleset& rules;
  const shard_state& shard;
  const window_binding& binding;
  const first_seen& first;
  global_windows* global = nullptr; ///< null: look-backs of global rules fail
  remote_windows* remote = nullptr; ///< null: this node answers for windows of others from what it has
  std::int64_t now_s = 0;           ///< clock of the shard's windows
  std::vector<rule_tally>* tallies = nullptr;
  trace* listener = nullptr;
};

/// The verdict of an event (rules.md 3.3).
struct verdict {
  const engine::rule* rule = nullptr;   ///< null: no rule decides
  const engine::rule* parent = nullptr; ///< at the place where it was found; null for a root
};

/// Finds the verdict, place by place as rules.md 3 and 4 say. What it would change is in `scratch.effects`;
/// texts of previous events are in `scratch.previous`. Locks `input.global` into `lock` when a global
/// look-back is reached: keep it until the effects are written.
verdict walk(const event& ev, const walk_input& input, rule_scratch& scratch, match_scratch& matching,
             std::unique_lock<std::mutex>& lock);

/// A look-back in a store whose window has the key `scratch.key` (for owners of global windows).
bool look_back_in(const window_store& store, const window_binding& binding, const rule& composite,
                  const walk_input& input, rule_scratch& scratch, match_scratch& matching,
                  std::int64_t now_s);

/// One look-back (rules.md 4.3).
bool look_back_holds(const rule& composite, const walk_input& input, rule_scratch& scratch,
                     match_scratch& matching, std::unique_lock<std::mutex>& lock);

} // namespace picket::engine
