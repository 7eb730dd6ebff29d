#include "engine/load/window_plan.hpp"

#include "engine/load/ruleset.hpp"

#include <algorithm>
#include <map>

namespace picket::engine {

namespace {

std::string content_of(const window_index& index, const event_list& list, const slot_names& slots) {
  std::string text;
  switch (list.kind) {
  case look_back_kind::id:
    text = "id " + std::to_string(list.watched_id);
    break;
  case look_back_kind::group:
    text = "group";
    for (const auto& [id, times] : list.members)
      text += " " + std::to_string(id) + "*" + std::to_string(times);
    break;
  case look_back_kind::all:
  case look_back_kind::none:
    text = "all";
    break;
  }
  text += index.global ? "; global" : "; agent";
  for (const auto& value : index.key)
    text += "; " + name_of(value, slots);
  return text;
}

void add_once(std::vector<operand>& to, const operand& value) {
  if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
}

operand dynamic_operand(std::uint16_t slot) { return {operand_kind::dynamic, static_field::srcip, slot}; }

void store_values(ruleset& of, const look_back& back, bool all_events) {
  for (const auto& value : back.different)
    add_once(of.stored, value);
  for (const auto slot : back.not_same_fields)
    add_once(of.stored, dynamic_operand(slot));
  if (!all_events) return;
  of.keeps_logs = true;
  for (const auto& value : back.same)
    add_once(of.stored, value);
  for (const auto slot : back.same_fields)
    add_once(of.stored, dynamic_operand(slot));
}

window_index wanted_index(const ruleset& of, const rule& composite) {
  const auto& back = composite.look_back;
  window_index index;
  index.list = back.list;
  index.global = back.global;
  index.all_events = of.tree.lists[back.list].kind == look_back_kind::all;
  index.timeframe_s = composite.timeframe_s;
  if (index.all_events) {
    index.entries_max = of.options.all_events_max;
    return index;
  }
  index.key = back.same;
  for (const auto slot : back.same_fields)
    index.key.push_back(dynamic_operand(slot));
  std::sort(index.key.begin(), index.key.end());
  // Without comparisons of single entries at most frequency - 1 of them are ever read: the window is exact.
  const bool skips = !back.different.empty() || !back.not_same_fields.empty();
  index.entries_max = std::max(composite.needed() + 1, skips ? of.options.different_entries_max : 1u);
  return index;
}

/// Gives each composite its index. Lists of equal members are one: what stands in one stands in the other.
void plan_indexes(ruleset& of, std::vector<std::vector<std::uint32_t>>& indexes_of_list) {
  std::map<std::string, std::uint32_t> known;
  for (auto& each : of.tree.rules) {
    if (!each->composite() || each->look_back.list == no_list) continue;
    auto index = wanted_index(of, *each);
    store_values(of, each->look_back, index.all_events);
    index.content = content_of(index, of.tree.lists[index.list], of.slots);
    const auto [at, fresh] = known.emplace(index.content, static_cast<std::uint32_t>(of.indexes.size()));
    each->look_back.index = at->second;
    auto& mine = indexes_of_list[index.list];
    if (std::find(mine.begin(), mine.end(), at->second) == mine.end()) mine.push_back(at->second);
    if (fresh) {
      of.indexes.push_back(std::move(index));
      continue;
    }
    auto& shared = of.indexes[at->second];
    shared.entries_max = std::max(shared.entries_max, index.entries_max);
    shared.timeframe_s = std::max(shared.timeframe_s, index.timeframe_s);
  }
}

} // namespace

void plan_windows(ruleset& of) {
  std::vector<std::vector<std::uint32_t>> indexes_of_list(of.tree.lists.size());
  plan_indexes(of, indexes_of_list);
  of.feeds.resize(of.tree.rules.size());
  for (const auto& each : of.tree.rules) {
    auto& feeds = of.feeds[each->index];
    const auto add = [&](std::uint32_t list, std::uint32_t times) {
      for (const auto index : indexes_of_list[list]) {
        const auto same = [&](const auto& feed) { return feed.index == index; };
        if (std::none_of(feeds.begin(), feeds.end(), same)) feeds.push_back({index, times});
      }
    };
    // A watched rule feeds its id list and then no group list (rules.md 4.1).
    if (each->id_list != no_list)
      add(each->id_list, 1);
    else
      for (const auto& [list, times] : each->group_lists)
        add(list, times);
    for (std::uint32_t list = 0; list < of.tree.lists.size(); ++list)
      if (of.tree.lists[list].kind == look_back_kind::all) add(list, 1);
  }
}

} // namespace picket::engine
