#include "engine/state/global_exchange.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

/// Works for one call with the windows locked.
class owner_run {
public:
  owner_run(const ruleset& rules, global_windows& windows)
      : rules_(rules)
      , windows_(windows)
      , store_(windows.windows())
      , binding_(store_.bind(rules, true, 2)) {}

  window_answer ask(const global_operation& operation) {
    window_answer answer;
    const auto* composite = rules_.find_rule(operation.composite);
    if (!composite || !composite->composite() || composite->look_back.list == no_list || !operation.asking
        || rules_.indexes[composite->look_back.index].content != operation.content)
      return answer;
    rebuild(*operation.asking);
    scratch_.values.begin(event_, rules_.slots);
    scratch_.effects.clear();
    scratch_.previous.clear();
    scratch_.key = operation.key;
    const walk_input input{rules_, no_shard_, binding_, no_keys_};
    const auto now_s = windows_.advance_clock(operation.second);
    answer.holds = look_back_in(store_, binding_, *composite, input, scratch_, matching_, now_s);
    if (answer.holds)
      for (const auto text : scratch_.previous)
        answer.previous.emplace_back(text);
    for (const auto& change : scratch_.effects.marks)
      store_.set_mark(change.sequence, change.mark);
    return answer;
  }

  void enter(const global_entry& entry) {
    std::vector<window_entry> to;
    for (const auto& target : entry.targets) {
      const auto at = std::find_if(rules_.indexes.begin(), rules_.indexes.end(), [&](const auto& index) {
        return index.global && index.content == target.content;
      });
      if (at == rules_.indexes.end()) continue;
      to.push_back(
          {binding_.tables[static_cast<std::size_t>(at - rules_.indexes.begin())], target.times, target.key});
    }
    if (to.empty()) return;
    event_record record;
    record.second = windows_.advance_clock(entry.second);
    record.mark = entry.mark;
    record.rule_id = entry.rule_id;
    record.type = entry.type;
    record.has_dynamics = entry.has_dynamics;
    record.agent = entry.agent;
    record.full_log = entry.full_log;
    record.log = entry.log;
    for (std::size_t i = 0; i < rules_.stored.size(); ++i)
      for (const auto& [name, value] : entry.values)
        if (name == name_of(rules_.stored[i], rules_.slots))
          record.values.emplace_back(binding_.columns[i], value);
    store_.remember(std::move(record), to);
  }

private:
  /// An event with the values that single entries are compared with.
  void rebuild(const global_entry& asking) {
    event_.clear();
    source_ = {};
    source_.agent_id = asking.agent;
    event_.source = &source_;
    event_.type = asking.type;
    event_.full_log = asking.full_log;
    event_.log = asking.log;
    for (const auto& of : rules_.stored) {
      const auto name = name_of(of, rules_.slots);
      for (const auto& [given, value] : asking.values) {
        if (given != name) continue;
        if (of.kind == operand_kind::fixed) event_.set(of.field, value);
        if (of.kind == operand_kind::location) source_.rule_location = value;
        if (of.kind == operand_kind::dynamic)
          event_.dynamics.push_back({rules_.slots.name_of(of.slot), value});
      }
    }
    // "Has any dynamic field" counts by itself (rules.md 4.5); a name that no rule has stands for the others.
    if (asking.has_dynamics && event_.dynamics.empty()) event_.dynamics.push_back({"\x01", ""});
  }

  const ruleset& rules_;
  global_windows& windows_;
  window_store& store_;
  const window_binding& binding_;
  shard_state no_shard_;
  first_seen_in_memory no_keys_;
  rule_scratch scratch_;
  match_scratch matching_;
  event event_;
  source source_;
};

} // namespace

std::vector<window_answer> answer_operations(std::span<const global_operation> operations,
                                             const ruleset& rules, global_windows& windows) {
  const std::lock_guard lock{windows.mutex()};
  owner_run run(rules, windows);
  std::vector<window_answer> answers;
  for (const auto& operation : operations) {
    bool holds = false;
    if (operation.ask) {
      answers.push_back(run.ask(operation));
      holds = answers.back().holds;
    }
    const auto& entry = holds ? operation.if_holds : operation.if_fails;
    if (entry) run.enter(*entry);
  }
  return answers;
}

} // namespace picket::engine
