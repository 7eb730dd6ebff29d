#include "engine/state/complete_lists.hpp"

#include "engine/text/fold.hpp"

namespace picket::engine {

namespace {

std::optional<std::string_view> value_of(const operand& of, const complete_record& record) {
  if (of.kind == operand_kind::location) return record.location;
  if (of.kind != operand_kind::fixed) return std::nullopt;
  const auto& value = record.statics[static_cast<std::size_t>(of.field)];
  if (!value) return std::nullopt;
  return *value;
}

std::optional<std::string_view> value_of(const operand& of, const event& ev) {
  if (of.kind == operand_kind::location) return ev.source->rule_location;
  if (of.kind != operand_kind::fixed) return std::nullopt;
  return ev.get(of.field);
}

bool equal_fields(std::string_view name, const complete_record& earlier, const event& now) {
  const auto* before = earlier.dynamic(name);
  const auto here = now.dynamic(name);
  return before && here && *before == *here;
}

} // namespace

const std::string* complete_record::dynamic(std::string_view name) const {
  for (const auto& [key, value] : dynamics)
    if (equal_fold(key, name)) return &value;
  return nullptr;
}

void complete_lists::remember(const rule& verdict, const event& ev, std::int64_t second, std::int32_t mark,
                              const ruleset& rules) {
  complete_record record;
  record.sequence = first_sequence_ + records_.size();
  record.second = second;
  record.mark = record.global_mark = mark;
  record.agent = ev.source->agent_id;
  record.location = ev.source->rule_location;
  record.full_log = ev.full_log;
  record.log = ev.log;
  record.type = ev.type;
  for (std::size_t i = 0; i < static_field_count; ++i)
    if (ev.statics[i]) record.statics[i] = std::string{*ev.statics[i]};
  for (const auto& field : ev.dynamics)
    record.dynamics.emplace_back(field.name, field.value);
  const auto enter = [&](std::uint32_t list, std::uint32_t times) {
    for (std::uint32_t i = 0; i < times; ++i)
      lists_[list].push_back(record.sequence);
  };
  if (verdict.id_list != no_list)
    enter(verdict.id_list, 1);
  else
    for (const auto& [list, times] : verdict.group_lists)
      enter(list, times);
  for (std::uint32_t list = 0; list < rules.tree.lists.size(); ++list)
    if (rules.tree.lists[list].kind == look_back_kind::all) enter(list, 1);
  records_.push_back(std::move(record));
  if (records_.size() <= events_max_) return;
  records_.pop_front();
  ++first_sequence_;
  for (auto& [number, entries] : lists_)
    while (!entries.empty() && entries.front() < first_sequence_)
      entries.pop_front();
}

void complete_lists::set_mark(bool global, std::uint64_t sequence, std::int32_t mark) {
  if (sequence < first_sequence_ || sequence - first_sequence_ >= records_.size()) return;
  auto& record = records_[static_cast<std::size_t>(sequence - first_sequence_)];
  (global ? record.global_mark : record.mark) = mark;
}

const std::deque<std::uint64_t>* complete_lists::list(std::uint32_t number) const {
  const auto at = lists_.find(number);
  return at == lists_.end() ? nullptr : &at->second;
}

const complete_record* complete_lists::record(std::uint64_t sequence) const {
  if (sequence < first_sequence_ || sequence - first_sequence_ >= records_.size()) return nullptr;
  return &records_[static_cast<std::size_t>(sequence - first_sequence_)];
}

bool comparable(const rule& composite, const complete_record& earlier, const event& now,
                const slot_names& slots) {
  const auto& back = composite.look_back;
  if (!back.global && earlier.agent != now.source->agent_id) return false;
  for (const auto& each : back.same) {
    const auto before = value_of(each, earlier);
    const auto here = value_of(each, now);
    if (!before || !here || *before != *here) return false;
  }
  for (const auto slot : back.same_fields)
    if (!equal_fields(slots.name_of(slot), earlier, now)) return false;
  if (!back.not_same_fields.empty()) {
    if (earlier.dynamics.empty() && now.dynamics.empty()) return false;
    for (const auto slot : back.not_same_fields)
      if (equal_fields(slots.name_of(slot), earlier, now)) return false;
  }
  for (const auto& each : back.different) {
    const auto before = value_of(each, earlier);
    const auto here = value_of(each, now);
    if (before && here && *before == *here) return false;
  }
  return true;
}

} // namespace picket::engine
