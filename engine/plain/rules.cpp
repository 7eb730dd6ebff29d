#include "engine/plain/rules.hpp"

#include "engine/event/fts_key.hpp"
#include "engine/plain/conditions.hpp"
#include "engine/plain/trace.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

class rule_walk {
public:
  rule_walk(const walk_input& input, rule_scratch& scratch, match_scratch& matching,
            std::unique_lock<std::mutex>& lock)
      : in_(input)
      , scratch_(scratch)
      , matching_(matching)
      , lock_(lock) {}

  verdict run(const event& ev) {
    const auto& tree = in_.rules.tree;
    for (std::uint32_t at = 0; at < tree.roots; ++at) {
      // The category counts for root rules only (rules.md 2.2).
      if (tree.rules[tree.places[at].rule]->category != ev.type) continue;
      if (const auto* decided = visit(at, 0)) return {decided, parent_};
    }
    return {};
  }

private:
  /// rules.md 3.3. The first child that gives a result decides.
  const rule* visit(std::uint32_t at, unsigned depth) {
    const auto& place = in_.rules.tree.places[at];
    const auto& tested = *in_.rules.tree.rules[place.rule];
    if (in_.listener) in_.listener->rule_reached(tested, depth);
    const bool held = holds(tested);
    if (in_.tallies) {
      auto& tally = (*in_.tallies)[tested.index];
      ++tally.tested;
      tally.held += held ? 1 : 0;
    }
    if (in_.listener) in_.listener->rule_tested(tested, held);
    if (!held) return nullptr;
    for (std::uint32_t i = 0; i < place.children; ++i) {
      if (const auto* decided = visit(place.first_child + i, depth + 1)) {
        if (!parent_) parent_ = &tested;
        return decided;
      }
    }
    return tested.noalert ? nullptr : &tested;
  }

  bool holds(const rule& tested) {
    for (const auto& each : tested.conditions) {
      const bool held = condition(tested, each);
      if (in_.listener) in_.listener->condition_tested(tested, each, value_for_trace(each), held);
      if (!held) return false;
    }
    if (!tested.composite()) return true;
    if (look_back_holds(tested, in_, scratch_, matching_, lock_)) return true;
    // A failing look-back also forgets what a parent had collected (rules.md 4.6).
    scratch_.previous.clear();
    return false;
  }

  bool condition(const rule& tested, const engine::condition& each) {
    if (each.kind == condition_kind::check_diff) return changed(tested);
    if (each.kind == condition_kind::if_fts) return first_time();
    return condition_holds(each, scratch_.values, matching_);
  }

  std::optional<std::string_view> value_for_trace(const engine::condition& each) {
    if (each.kind == condition_kind::text || each.kind == condition_kind::address)
      return scratch_.values.get(each.operand);
    if (each.kind == condition_kind::list) return scratch_.values.get(each.list->operand);
    return std::nullopt;
  }

  /// check_diff, rules.md 6.1.
  bool changed(const rule& tested) {
    const auto& ev = scratch_.values.current();
    if (ev.log.size() > diff_texts::log_bytes_max) return false;
    std::optional<std::string_view> stored;
    for (const auto& change : scratch_.effects.diffs)
      if (change.rule_id == tested.id) stored = change.text;
    if (!stored)
      if (const auto* text = in_.shard.diffs.find(ev.hostname, tested.id)) stored = *text;
    if (stored && *stored == ev.log) return false;
    scratch_.effects.diffs.push_back({tested.id, ev.log});
    if (!stored) return false;
    scratch_.previous.assign({std::string_view{"Previous output:"}, *stored});
    scratch_.previous_log = *stored;
    return true;
  }

  /// if_fts, rules.md 5. The key counts as stored the moment it is tested and found new.
  bool first_time() {
    const auto& ev = scratch_.values.current();
    if (!has_fts(ev)) return false;
    auto key = fts_key(ev);
    if (known(key)) return false;
    if (ev.type == event_type::ids) {
      key = in_.first.cut_if_similar(key);
      if (known(key)) return false;
    }
    scratch_.effects.first_seen_keys.push_back(std::move(key));
    return true;
  }

  bool known(const std::string& key) const {
    const auto& mine = scratch_.effects.first_seen_keys;
    if (std::find(mine.begin(), mine.end(), key) != mine.end()) return true;
    const auto& claimed = scratch_.claimed;
    if (std::find(claimed.begin(), claimed.end(), key) != claimed.end()) return false;
    return in_.first.contains(key);
  }

  const walk_input& in_;
  rule_scratch& scratch_;
  match_scratch& matching_;
  std::unique_lock<std::mutex>& lock_;
  const rule* parent_ = nullptr;
};

} // namespace

verdict walk(const event& ev, const walk_input& input, rule_scratch& scratch, match_scratch& matching,
             std::unique_lock<std::mutex>& lock) {
  scratch.values.begin(ev, input.rules.slots);
  scratch.effects.clear();
  scratch.previous.clear();
  scratch.previous_log = {};
  return rule_walk(input, scratch, matching, lock).run(ev);
}

} // namespace picket::engine
