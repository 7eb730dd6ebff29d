// The look-back of composites, rules.md 4.3 to 4.6, over windows or over complete lists.
#include "engine/plain/rules.hpp"
#include "engine/plain/trace.hpp"

#include <algorithm>
#include <deque>

namespace picket::engine {

namespace {

constexpr std::size_t previous_texts_max = 11;

/// Entries of a window, newest first. Entries that stand several times are given several times.
class window_entries {
public:
  using record = event_record;
  window_entries(const window_store& store, const window& from, bool global)
      : store_(store)
      , from_(from)
      , global_(global)
      , at_(from.entries.size()) {}

  const record* next() {
    if (repeats_ > 0) {
      --repeats_;
      return current_;
    }
    if (at_ == 0) return nullptr;
    const auto& entry = from_.entries[--at_];
    current_ = store_.record(entry.sequence);
    repeats_ = entry.times - 1;
    return current_;
  }
  bool global() const { return global_; }
  static std::int32_t mark(const record& of) { return of.mark; }

private:
  const window_store& store_;
  const window& from_;
  bool global_;
  std::size_t at_;
  std::uint32_t repeats_ = 0;
  const record* current_ = nullptr;
};

/// Entries of a complete list, newest first.
class list_entries {
public:
  using record = complete_record;
  list_entries(const complete_lists& lists, const std::deque<std::uint64_t>& from, bool global)
      : lists_(lists)
      , from_(from)
      , global_(global)
      , at_(from.size()) {}
  const record* next() { return at_ == 0 ? nullptr : lists_.record(from_[--at_]); }
  bool global() const { return global_; }
  std::int32_t mark(const record& of) const { return global_ ? of.global_mark : of.mark; }

private:
  const complete_lists& lists_;
  const std::deque<std::uint64_t>& from_;
  bool global_;
  std::size_t at_;
};

/// What of rules.md 4.5 the key of the window does not say already.
class rest_comparison {
public:
  rest_comparison(const rule& composite, const walk_input& input, const window_index& index,
                  const window_binding& binding, event_values& values)
      : composite_(composite)
      , in_(input)
      , index_(index)
      , binding_(binding)
      , values_(values) {}

  bool operator()(const event_record& earlier) const {
    const auto& back = composite_.look_back;
    if (index_.all_events) {
      for (const auto& each : back.same)
        if (!equal(each, earlier)) return false;
      for (const auto slot : back.same_fields)
        if (!equal(dynamic(slot), earlier)) return false;
    }
    if (!back.not_same_fields.empty()) {
      if (!earlier.has_dynamics && values_.current().dynamics.empty()) return false;
      for (const auto slot : back.not_same_fields)
        if (equal(dynamic(slot), earlier)) return false;
    }
    for (const auto& each : back.different)
      if (equal(each, earlier)) return false;
    return true;
  }

private:
  static operand dynamic(std::uint16_t slot) { return {operand_kind::dynamic, static_field::srcip, slot}; }

  /// Present in both and equal.
  bool equal(const operand& of, const event_record& earlier) const {
    const auto& stored = in_.rules.stored;
    const auto at = static_cast<std::size_t>(std::find(stored.begin(), stored.end(), of) - stored.begin());
    if (at == stored.size()) return false;
    const auto* before = earlier.value(binding_.columns[at]);
    const auto here = values_.get(of);
    return before && here && *before == *here;
  }

  const rule& composite_;
  const walk_input& in_;
  const window_index& index_;
  const window_binding& binding_;
  event_values& values_;
};

/// Puts a counted text into the event's list, if its position is still free (rules.md 4.6).
void collect(std::vector<std::string_view>& previous, std::uint32_t counted, std::string_view text) {
  if (counted < previous_texts_max && previous.size() <= counted) previous.push_back(text);
}

/// rules.md 4.3, the same for every kind of list.
template <class Entries, class Comparable>
bool search(const rule& composite, Entries entries, Comparable&& comparable_to, const walk_input& input,
            rule_scratch& scratch, match_scratch& matching, std::int64_t now_s) {
  const auto& back = composite.look_back;
  const auto& ev = scratch.values.current();
  const bool all_events = back.kind == look_back_kind::all;
  const auto needed = composite.needed();
  std::uint32_t counted = 0;
  std::uint64_t newest = 0;
  auto& effects = scratch.effects;
  const auto report = [&](look_back_step step, const auto& entry, std::int32_t mark) {
    if (input.listener)
      input.listener->entry_examined(composite, step, entry.full_log, now_s - entry.second, mark);
  };
  while (const auto* entry = entries.next()) {
    const auto mark = effects.mark_of(entries.global(), entry->sequence, entries.mark(*entry));
    if (now_s - entry->second > static_cast<std::int64_t>(composite.timeframe_s)) {
      report(look_back_step::too_old, *entry, mark);
      return false;
    }
    const bool other_kind =
        all_events && (entry->type != ev.type || (back.regex && !back.regex->holds(entry->log, matching)));
    if (other_kind || !comparable_to(*entry)) {
      report(look_back_step::not_comparable, *entry, mark);
      continue;
    }
    if (mark >= composite.level) {
      report(look_back_step::spent, *entry, mark);
      return false;
    }
    const bool complete = counted >= needed;
    if (!(complete && all_events)) collect(scratch.previous, counted, entry->full_log);
    report(complete ? look_back_step::completed : look_back_step::counted, *entry, mark);
    if (complete) {
      effects.own_mark = composite.level;
      if (newest != 0) effects.marks.push_back({entries.global(), newest, composite.level});
      return true;
    }
    ++counted;
    if (newest == 0) newest = entry->sequence;
  }
  return false;
}

bool over_lists(const rule& composite, const walk_input& input, rule_scratch& scratch,
                match_scratch& matching) {
  const auto* list = input.shard.complete->list(composite.look_back.list);
  if (!list) return false;
  const auto comparable_to = [&](const complete_record& earlier) {
    return comparable(composite, earlier, scratch.values.current(), input.rules.slots);
  };
  return search(composite, list_entries(*input.shard.complete, *list, composite.look_back.global),
                comparable_to, input, scratch, matching, input.now_s);
}

/// The answer of the window's owner in place of its entries.
bool from_answer(const rule& composite, const window_answer& answer, rule_scratch& scratch) {
  if (!answer.holds) return false;
  for (std::size_t i = 0; i < answer.previous.size(); ++i)
    collect(scratch.previous, static_cast<std::uint32_t>(i), answer.previous[i]);
  scratch.effects.own_mark = composite.level;
  return true;
}

bool over_global(const rule& composite, const walk_input& input, rule_scratch& scratch,
                 match_scratch& matching, std::unique_lock<std::mutex>& lock) {
  const auto& index = input.rules.indexes[composite.look_back.index];
  if (input.remote && !input.global->owns(index.content, scratch.key)) {
    const auto* answer = input.remote->look_up(composite, index, scratch.key);
    return answer && from_answer(composite, *answer, scratch);
  }
  if (!lock.owns_lock()) lock = std::unique_lock{input.global->mutex()};
  auto& store = input.global->windows();
  const auto now_s = input.global->advance_clock(input.now_s);
  return look_back_in(store, store.bind(input.rules, true, 2), composite, input, scratch, matching, now_s);
}

} // namespace

bool look_back_in(const window_store& store, const window_binding& binding, const rule& composite,
                  const walk_input& input, rule_scratch& scratch, match_scratch& matching,
                  std::int64_t now_s) {
  const auto& index = input.rules.indexes[composite.look_back.index];
  const auto* window = store.find(binding.tables[composite.look_back.index], scratch.key);
  if (!window) return false;
  const rest_comparison comparable_to(composite, input, index, binding, scratch.values);
  return search(composite, window_entries(store, *window, index.global), comparable_to, input, scratch,
                matching, now_s);
}

bool look_back_holds(const rule& composite, const walk_input& input, rule_scratch& scratch,
                     match_scratch& matching, std::unique_lock<std::mutex>& lock) {
  if (composite.look_back.list == no_list) return false;
  if (input.shard.complete) return over_lists(composite, input, scratch, matching);
  const auto& index = input.rules.indexes[composite.look_back.index];
  const auto& agent = scratch.values.current().source->agent_id;
  if (!make_window_key(scratch.key, index, agent, [&](const operand& of) { return scratch.values.get(of); }))
    return false;
  if (!index.global)
    return look_back_in(input.shard.windows, input.binding, composite, input, scratch, matching, input.now_s);
  return input.global && over_global(composite, input, scratch, matching, lock);
}

} // namespace picket::engine
