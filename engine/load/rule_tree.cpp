#include "engine/load/rule_tree.hpp"

#include "engine/text/fold.hpp"

#include <algorithm>
#include <limits>

namespace picket::engine {

namespace {

std::string number_text(std::uint32_t id) { return std::to_string(id); }

bool only_digits(std::string_view text) { return std::all_of(text.begin(), text.end(), is_digit); }

/// The number of a text of digits; texts too long for any id give one that no rule has.
std::uint32_t number_of(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits)
    value = std::min<std::uint64_t>(value * 10 + static_cast<std::uint64_t>(c - '0'), 0xFFFFFFFE);
  return static_cast<std::uint32_t>(value);
}

/// `if_group` (rules.md 1.6): alternatives, `^` anchors one, a substring is enough. Both in lower case.
bool group_matches(std::string_view pattern, std::string_view group_text) {
  for (;;) {
    const auto bar = pattern.find('|');
    auto part = pattern.substr(0, bar);
    if (!part.empty() && part.front() == '^') {
      part.remove_prefix(1);
      if (group_text.substr(0, part.size()) == part) return true;
    } else if (group_text.find(part) != std::string_view::npos) {
      return true;
    }
    if (bar == std::string_view::npos) return false;
    pattern.remove_prefix(bar + 1);
  }
}

} // namespace

rule_tree_builder::rule_tree_builder(diagnostics& out, std::size_t places_max)
    : out_(out)
    , places_max_(places_max)
    , nodes_(1) {}

void rule_tree_builder::report(severity how, const rule& about, const engine::place& where, std::string code,
                               std::string text, std::string hint) {
  diagnostic d;
  d.severity = how;
  d.place = where;
  d.rule = static_cast<int>(about.id);
  d.code = std::move(code);
  d.text = std::move(text);
  d.hint = std::move(hint);
  out_.push_back(std::move(d));
}

void rule_tree_builder::drop(const rule& about, const engine::place& where, std::string code,
                             std::string text, std::string hint) {
  report(severity::warning, about, where, std::move(code), std::move(text) + "; the rule is left out",
         std::move(hint));
}

rule_tree_builder::wanted_ids rule_tree_builder::parse_if_sid(std::string_view text) {
  wanted_ids wanted;
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const bool end = at == text.size();
    if (!end && is_digit(text[at])) continue;
    if (!end && text[at] != ',' && text[at] != ' ') return wanted;
    const auto digits = text.substr(begin, at - begin);
    begin = at + 1;
    if (!digits.empty() && number_of(digits) != 0)
      wanted.ids.push_back(number_of(digits));
    else if (end || !digits.empty())
      wanted.root = true; // id 0, blanks only, or a separator at the end
  }
  wanted.well_formed = true;
  return wanted;
}

bool rule_tree_builder::reachable(std::uint32_t place, std::uint32_t id, std::uint32_t mark) const {
  const auto is_wanted = [&](std::uint32_t at) { return rules_[nodes_[at].rule]->id == id; };
  for (std::uint32_t at = place; at != 0; at = nodes_[at].parent) {
    const auto& parent = nodes_[nodes_[at].parent];
    if (parent.mark != mark) continue;
    // The search of this list ends at the first wanted rule: nothing behind it is found (rules.md 2.4).
    for (const auto sibling : parent.children) {
      if (sibling == at) break;
      if (is_wanted(sibling)) return false;
    }
  }
  return true;
}

std::vector<std::uint32_t> rule_tree_builder::places_of_id(std::uint32_t id) {
  std::vector<std::uint32_t> all;
  const auto found = rules_by_id_.find(id);
  if (found == rules_by_id_.end()) return all;
  const auto mark = ++searches_;
  for (const auto index : found->second)
    for (const auto place : places_[index])
      nodes_[nodes_[place].parent].mark = mark;
  for (const auto index : found->second)
    for (const auto place : places_[index])
      if (reachable(place, id, mark)) all.push_back(place);
  return all;
}

std::optional<std::uint32_t> rule_tree_builder::root_of(event_type category) const {
  for (const auto root : nodes_[0].children)
    if (rules_[nodes_[root].rule]->category == category) return root;
  return std::nullopt;
}

std::string rule_tree_builder::suggest_id(std::uint32_t id) const {
  // Most often the parent exists but is read later, or was left out itself; a near number helps with slips.
  std::uint32_t best = 0;
  std::uint32_t best_distance = 6;
  for (const auto& [known, unused] : rules_by_id_) {
    const auto distance = known > id ? known - id : id - known;
    if (distance < best_distance || (distance == best_distance && known < best)) {
      best = known;
      best_distance = distance;
    }
  }
  const std::string advice = "a parent must be defined earlier";
  return best == 0 ? advice : advice + "; did you mean " + number_text(best) + "?";
}

bool rule_tree_builder::parents_by_sid(const rule_draft& draft, std::vector<std::uint32_t>& parents) {
  const auto& about = *draft.rule;
  const auto wanted = parse_if_sid(*draft.if_sid);
  if (!wanted.well_formed) {
    drop(about, draft.if_sid_place, "bad-if-sid", "if_sid '" + *draft.if_sid + "' is not a list of ids",
         "write digits, commas and blanks only");
    return false;
  }
  if (wanted.root) {
    report(severity::warning, about, draft.if_sid_place, "if-sid-root",
           "if_sid names id 0, is blank or ends in a separator: the rule also goes below the root of its "
           "category",
           "remove the trailing separator");
    if (const auto root = root_of(about.category)) parents.push_back(*root);
  }
  for (const auto id : wanted.ids) {
    const auto places = places_of_id(id);
    if (places.empty())
      report(severity::warning, about, draft.if_sid_place, "unknown-parent",
             "there is no rule " + number_text(id) + " before this one", suggest_id(id));
    parents.insert(parents.end(), places.begin(), places.end());
  }
  if (!parents.empty()) return true;
  drop(about, draft.if_sid_place, "no-parent", "none of its parents exists",
       "name a rule that stands before it");
  return false;
}

bool rule_tree_builder::parents_by_level(const rule_draft& draft, std::vector<std::uint32_t>& parents) {
  const auto& about = *draft.rule;
  const auto level =
      only_digits(*draft.if_level) && draft.if_level->size() <= 4 ? number_of(*draft.if_level) : 0;
  if (level == 0) {
    drop(about, about.place, "bad-if-level",
         "if_level '" + *draft.if_level + "' is not a number of at least 1", "write a level from 1 to 16");
    return false;
  }
  for (const auto& other : rules_)
    if (other->key >= static_cast<int>(level) * 100)
      parents.insert(parents.end(), places_[other->index].begin(), places_[other->index].end());
  if (!parents.empty()) return true;
  drop(about, about.place, "no-parent", "no rule before it has level " + number_text(level) + " or higher",
       "name a lower level, or put the rule behind those");
  return false;
}

bool rule_tree_builder::parents_by_group(const rule_draft& draft, std::vector<std::uint32_t>& parents) {
  const auto& about = *draft.rule;
  const auto wanted = folded(*draft.if_group);
  for (const auto& other : rules_)
    if (group_matches(wanted, folded_groups_[other->index]))
      parents.insert(parents.end(), places_[other->index].begin(), places_[other->index].end());
  if (!parents.empty()) return true;
  drop(about, about.place, "no-parent", "no rule before it is in group '" + *draft.if_group + "'",
       "name a group that an earlier rule has");
  return false;
}

bool rule_tree_builder::parents_by_category(const rule_draft& draft, std::vector<std::uint32_t>& parents) {
  if (const auto root = root_of(draft.rule->category)) {
    parents.push_back(*root);
    return true;
  }
  drop(*draft.rule, draft.rule->place, "no-root",
       "no root rule (id 1 to 9) of its category is defined before it",
       "give it an if_sid, or load the file with the root rules first");
  return false;
}

bool rule_tree_builder::find_parents(const rule_draft& draft, std::vector<std::uint32_t>& parents) {
  if (draft.rule->root) {
    parents.push_back(0);
    return true;
  }
  if (draft.if_group && draft.if_sid && !draft.if_matched_group)
    report(severity::warning, *draft.rule, draft.rule->place, "ignored-if-group",
           "if_group has no effect beside if_sid", "take one of them away");
  if (draft.if_sid) return parents_by_sid(draft, parents);
  if (draft.if_level) return parents_by_level(draft, parents);
  if (draft.if_group) return parents_by_group(draft, parents);
  return parents_by_category(draft, parents);
}

bool rule_tree_builder::check_matched_sid(const rule_draft& draft) {
  if (!draft.if_matched_sid) return true;
  const auto& about = *draft.rule;
  if (!only_digits(*draft.if_matched_sid)) {
    drop(about, about.place, "bad-if-matched-sid",
         "if_matched_sid '" + *draft.if_matched_sid + "' is not one id",
         "name one id; use if_matched_group for several rules");
    return false;
  }
  const auto id = number_of(*draft.if_matched_sid);
  if (exists(id) || id == about.id) return true;
  const auto parents = parse_if_sid(draft.if_sid.value_or(""));
  const bool all_known =
      std::all_of(parents.ids.begin(), parents.ids.end(), [&](auto p) { return exists(p); });
  if (!all_known) {
    drop(about, about.place, "unknown-matched-rule",
         "there is no rule " + number_text(id) + " before this one", suggest_id(id));
    return false;
  }
  report(severity::warning, about, about.place, "unknown-matched-rule",
         "there is no rule " + number_text(id) + " before this one: it never holds", suggest_id(id));
  return true;
}

void rule_tree_builder::add(rule_draft draft) {
  auto& fresh = *draft.rule;
  if (exists(fresh.id) && !(fresh.root && draft.overwrite)) {
    if (draft.overwrite) {
      overwrite(draft);
      return;
    }
    const auto& first = rules_[rules_by_id_[fresh.id].front()]->place;
    drop(fresh, fresh.place, "double-id",
         "rule " + number_text(fresh.id) + " is defined already, in " + first.file + ":"
             + std::to_string(first.line),
         "choose another id, or set overwrite=\"yes\" to replace it");
    return;
  }
  if (draft.overwrite && !exists(fresh.id))
    report(severity::warning, fresh, fresh.place, "nothing-to-overwrite",
           "there is no rule " + number_text(fresh.id) + " before this one to overwrite",
           "take overwrite away, or let the file sort behind the one with the rule");
  std::vector<std::uint32_t> parents;
  if (!check_matched_sid(draft) || !find_parents(draft, parents)) return;
  const auto index = static_cast<std::uint32_t>(rules_.size());
  fresh.index = index;
  rules_by_id_[fresh.id].push_back(index);
  folded_groups_.push_back(folded(fresh.group_text));
  placements_.push_back(
      {draft.if_sid, draft.if_level, draft.if_group, draft.if_matched_sid, draft.if_matched_group});
  places_.emplace_back();
  rules_.push_back(std::move(draft.rule));
  insert(index, parents);
  connect_list(draft, index);
}

void rule_tree_builder::insert(std::uint32_t rule_index, const std::vector<std::uint32_t>& parents) {
  if (full_) return;
  if (nodes_.size() + parents.size() > places_max_) {
    full_ = true;
    report(severity::error, *rules_[rule_index], rules_[rule_index]->place, "too-many-places",
           "the rules would stand at more than " + std::to_string(places_max_) + " places of the tree",
           "put if_sid in place of if_group or if_level in rules whose parents have many parents themselves");
    return;
  }
  for (const auto parent : parents)
    insert_below(rule_index, parent);
}

void rule_tree_builder::insert_below(std::uint32_t rule_index, std::uint32_t parent) {
  const auto at = static_cast<std::uint32_t>(nodes_.size());
  node fresh;
  fresh.rule = rule_index;
  fresh.parent = parent;
  fresh.depth = nodes_[parent].depth + 1;
  if (fresh.depth > tree_depth_max && !full_) {
    full_ = true;
    const auto& deep = *rules_[rule_index];
    report(severity::error, deep, deep.place, "tree-too-deep",
           "the rule stands below more than " + std::to_string(tree_depth_max) + " parents",
           "make the chain shorter");
  }
  nodes_.push_back(std::move(fresh));
  places_[rule_index].push_back(at);
  auto& siblings = nodes_[parent].children;
  const int key = rules_[rule_index]->key;
  const auto before = std::find_if(siblings.begin(), siblings.end(),
                                   [&](auto sibling) { return rules_[nodes_[sibling].rule]->key < key; });
  siblings.insert(before, at);
}

std::uint32_t rule_tree_builder::id_list_of(rule& watched) {
  if (watched.id_list == no_list) {
    watched.id_list = static_cast<std::uint32_t>(lists_.size());
    auto& list = lists_.emplace_back();
    list.kind = look_back_kind::id;
    list.watched_id = watched.id;
  }
  return watched.id_list;
}

void rule_tree_builder::connect_list(const rule_draft& draft, std::uint32_t rule_index) {
  auto& back = rules_[rule_index]->look_back;
  if (!back.active) return;
  if (back.kind == look_back_kind::id) {
    const auto found = rules_by_id_.find(number_of(*draft.if_matched_sid));
    if (found != rules_by_id_.end()) back.list = id_list_of(*rules_[found->second.front()]);
    return;
  }
  if (back.kind == look_back_kind::all) {
    const auto existing = std::find_if(lists_.begin(), lists_.end(),
                                       [](const auto& l) { return l.kind == look_back_kind::all; });
    back.list = static_cast<std::uint32_t>(existing - lists_.begin());
    if (existing == lists_.end()) lists_.emplace_back();
    return;
  }
  back.list = static_cast<std::uint32_t>(lists_.size());
  event_list list;
  list.kind = look_back_kind::group;
  const auto wanted = pattern::compile(language::osmatch, *draft.if_matched_group, {});
  match_scratch scratch;
  for (const auto& member : rules_) {
    if (!wanted || !wanted->holds(member->group_text, scratch)) continue;
    const auto times = static_cast<std::uint32_t>(places_[member->index].size());
    member->group_lists.emplace_back(back.list, times);
    list.members.emplace_back(member->id, times);
  }
  std::sort(list.members.begin(), list.members.end());
  lists_.push_back(std::move(list));
}

void rule_tree_builder::overwrite(rule_draft& draft) {
  const auto index = rules_by_id_[draft.rule->id].front();
  auto& old = *rules_[index];
  auto& fresh = *draft.rule;
  const auto& placed = placements_[index];
  const bool moved = (draft.if_sid && draft.if_sid != placed.if_sid)
                     || (draft.if_level && draft.if_level != placed.if_level)
                     || (draft.if_group && draft.if_group != placed.if_group);
  if (moved)
    report(severity::warning, fresh, fresh.place, "overwrite-moves",
           "an overwritten rule stays where it was; the other parents have no effect",
           "define a rule of another id to place it elsewhere");
  // Places, children, lists and counters belong to the id; everything else is the new text's (rules.md 2.6).
  fresh.index = old.index;
  fresh.category = old.category;
  fresh.group_lists = std::move(old.group_lists);
  fresh.id_list = old.id_list;
  fresh.shows_frequency = old.shows_frequency;
  if (fresh.look_back.active && old.look_back.kind == look_back_kind::none)
    report(severity::warning, fresh, fresh.place, "overwrite-look-back",
           "a rule that counted nothing does not begin to count when it is overwritten",
           "write a new rule with an id of its own that counts");
  fresh.look_back.active = fresh.look_back.active && old.look_back.kind != look_back_kind::none;
  fresh.look_back.kind = old.look_back.kind;
  fresh.look_back.list = old.look_back.list;
  folded_groups_[index] = folded(fresh.group_text);
  ++overwrites_;
  old = std::move(fresh);
}

rule_tree rule_tree_builder::finish() {
  rule_tree tree;
  if (full_) return tree;
  std::vector<std::uint32_t> order = nodes_[0].children;
  tree.roots = static_cast<std::uint32_t>(order.size());
  order.reserve(nodes_.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto& from = nodes_[order[i]];
    rule_place place;
    place.rule = from.rule;
    place.first_child = static_cast<std::uint32_t>(order.size());
    place.children = static_cast<std::uint32_t>(from.children.size());
    tree.places.push_back(place);
    order.insert(order.end(), from.children.begin(), from.children.end());
  }
  for (auto& each : rules_) {
    each->places = static_cast<std::uint32_t>(places_[each->index].size());
    tree.index_by_id.emplace(each->id, each->index);
  }
  tree.rules = std::move(rules_);
  tree.lists = std::move(lists_);
  return tree;
}

} // namespace picket::engine
