#include "engine/load/techniques.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

void add_once(std::vector<std::string>& to, std::string_view text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.emplace_back(text);
}

} // namespace

void technique_table::add_line(std::string_view file, int line_number, std::string_view line,
                               diagnostics& out) {
  const auto parts = split(line, '\t');
  if (parts.size() == 3 && parts[0] == "tactic") {
    tactics_.insert_or_assign(std::string{parts[1]}, std::string{parts[2]});
    return;
  }
  if (parts.size() == 4 && parts[0] == "technique") {
    technique entry;
    entry.name = parts[2];
    for (const auto id : split(parts[3], ','))
      entry.tactic_ids.emplace_back(id);
    techniques_.insert_or_assign(std::string{parts[1]}, std::move(entry));
    return;
  }
  diagnostic d;
  d.severity = severity::warning;
  d.place.file = file;
  d.place.line = line_number;
  d.place.column = 1;
  d.code = "bad-technique-line";
  d.text = "the line is neither a tactic nor a technique";
  d.hint = "write 'tactic<TAB>id<TAB>name' or 'technique<TAB>id<TAB>name<TAB>tactic ids'";
  out.push_back(std::move(d));
}

void technique_table::add_file(std::string_view file, std::string_view bytes, diagnostics& out) {
  int line_number = 0;
  while (!bytes.empty()) {
    ++line_number;
    const auto end = bytes.find('\n');
    auto line = bytes.substr(0, end);
    bytes = end == std::string_view::npos ? std::string_view{} : bytes.substr(end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') add_line(file, line_number, line, out);
  }
}

const technique_table::technique* technique_table::find(std::string_view id) const {
  const auto it = techniques_.find(std::string{id});
  return it == techniques_.end() ? nullptr : &it->second;
}

std::string_view technique_table::tactic_name(std::string_view id) const {
  const auto it = tactics_.find(std::string{id});
  return it == tactics_.end() ? std::string_view{} : std::string_view{it->second};
}

void technique_table::expand_pairs(const mitre_ids& ids, mitre_names& names) const {
  for (const auto& [technique_id, tactic_id] : ids.pairs) {
    const auto* known = find(technique_id);
    if (!known) continue;
    const auto& tactics = known->tactic_ids;
    if (std::find(tactics.begin(), tactics.end(), tactic_id) == tactics.end()) continue;
    add_once(names.ids, technique_id);
    add_once(names.techniques, known->name);
    add_once(names.tactics, tactic_name(tactic_id));
  }
}

mitre_names technique_table::expand(const mitre_ids& ids) const {
  mitre_names names;
  if (!ids.pairs.empty()) {
    // Both forms in one rule: the pair form wins, whatever the order.
    expand_pairs(ids, names);
  } else {
    for (const auto& id : ids.techniques) {
      add_once(names.ids, id);
      const auto* known = find(id);
      if (!known) continue;
      add_once(names.techniques, known->name);
      for (const auto& tactic : known->tactic_ids)
        add_once(names.tactics, tactic_name(tactic));
    }
  }
  return names;
}

} // namespace picket::engine
