// Placement, look-back and what shapes the output of a rule: rules.md 1.6 to 1.8, 6.5 to 6.8.
#include "engine/load/rule_elements.hpp"
#include "engine/load/rule_reader.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr std::array<std::string_view, 7> option_names{
    "alert_by_email", "no_email_alert", "log_alert", "no_log", "no_ar", "no_full_log", "no_counter"};
constexpr std::array<std::string_view, 4> info_types{"text", "link", "cve", "osvdb"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> compliance_prefixes{{
    {"pci_dss_", "pci_dss"},
    {"cis_", "cis"},
    {"gdpr_", "gdpr"},
    {"gpg13_", "gpg13"},
    {"hipaa_", "hipaa"},
    {"nist_800_53_", "nist_800_53"},
    {"tsc_", "tsc"},
}};

constexpr std::size_t shown_group_bytes = 1023;  ///< rules.md 6.6
constexpr std::size_t template_bytes_max = 1024; ///< rules.md 6.5

void add_once(std::vector<operand>& to, const operand& value) {
  if (std::find(to.begin(), to.end(), value) == to.end()) to.push_back(value);
}

/// Names that `$(NAME)` knows besides dynamic fields, with case (rules.md 6.5).
std::optional<operand> description_operand(std::string_view name) {
  if (name == "program_name") return operand{operand_kind::program_name, static_field::srcip, 0};
  if (name == "hostname") return operand{operand_kind::hostname, static_field::srcip, 0};
  if (const auto field = static_field_of(name)) return operand{operand_kind::fixed, *field, 0};
  return std::nullopt;
}

} // namespace

void rule_reader::on_placement(const xml::element& child, const element_spec& spec) {
  const std::string_view name = spec.name;
  if (name == "if_sid") {
    join(if_sid_, child, child.text);
    if (if_sid_.pieces > 1)
      warning(child.place, "joined-if-sid", "several if_sid are put together: '" + if_sid_.text + "'",
              "write one if_sid with commas between the ids");
  } else if (name == "if_level") {
    join(if_level_, child, child.text);
  } else if (name == "if_group") {
    join(if_group_, child, child.text);
  } else if (name == "if_matched_sid") {
    if_matched_sid_ = child.text;
  } else if (name == "if_matched_group") {
    join(if_matched_group_, child, child.text);
  } else {
    join(if_matched_regex_, child, child.text);
  }
}

void rule_reader::on_same(const xml::element&, const element_spec& spec) {
  add_once(draft_.rule->look_back.same, spec.operand);
  window_options_ = true;
  window_option_name_ = spec.name;
}

void rule_reader::on_different(const xml::element&, const element_spec& spec) {
  add_once(draft_.rule->look_back.different, spec.operand);
  window_options_ = true;
  window_option_name_ = spec.name;
}

void rule_reader::on_same_field(const xml::element& child, const element_spec& spec) {
  auto& to = spec.order == 0 ? draft_.rule->look_back.same_fields : draft_.rule->look_back.not_same_fields;
  const auto slot = env_.slots.number_of(child.text);
  if (std::find(to.begin(), to.end(), slot) == to.end()) to.push_back(slot);
  window_options_ = true;
  window_option_name_ = spec.name;
}

void rule_reader::on_without_effect(const xml::element& child, const element_spec& spec) {
  warning(child.place, "no-effect", std::string{"'"} + spec.name + "' has no effect",
          "events of different agents never share a window unless the rule has global_frequency");
}

void rule_reader::on_description(const xml::element& child, const element_spec&) {
  std::string piece = child.text;
  const auto line_break = piece.find('\n');
  if (line_break != std::string::npos) piece[line_break] = ' ';
  join(description_, child, piece);
}

void rule_reader::on_text(const xml::element& child, const element_spec& spec) {
  const std::string_view name = spec.name;
  if (name == "cve") {
    join(cve_, child, child.text);
    return;
  }
  if (name == "info") {
    for (const auto& attribute : child.attributes)
      if (attribute.name == "type"
          && std::find(info_types.begin(), info_types.end(), attribute.value) == info_types.end())
        warning(attribute.place, "bad-info-type", "'" + attribute.value + "' is no type of info",
                "write text, link, cve or osvdb");
    join(info_, child, child.text);
    return;
  }
  std::string piece = child.text;
  piece.erase(std::remove(piece.begin(), piece.end(), '\n'), piece.end());
  join(group_, child, piece);
}

void rule_reader::on_option(const xml::element& child, const element_spec&) {
  if (std::find(option_names.begin(), option_names.end(), child.text) == option_names.end()) {
    error(child.place, "unknown-option", "there is no option '" + child.text + "'",
          did_you_mean(child.text, option_names));
    return;
  }
  ++env_.counts.elements["options " + child.text];
  options_.push_back(child.text);
}

void rule_reader::on_mitre(const xml::element& child, const element_spec&) {
  std::vector<std::string> techniques, pair_techniques, pair_tactics;
  for (const auto& part : child.children) {
    if (equal_fold(part.name, "id")) {
      techniques.push_back(part.text);
    } else if (equal_fold(part.name, "techniqueID")) {
      pair_techniques.push_back(part.text);
    } else if (equal_fold(part.name, "tacticID")) {
      pair_tactics.push_back(part.text);
    } else {
      warning(part.place, "unknown-mitre-element",
              "mitre has no element '" + part.name + "'; the block is left out",
              "use id, or one techniqueID with one tacticID");
      return;
    }
  }
  const bool pair = !pair_techniques.empty() || !pair_tactics.empty();
  const bool whole_pair = pair_techniques.size() == 1 && pair_tactics.size() == 1;
  if ((techniques.empty() && !pair) || (pair && (!techniques.empty() || !whole_pair))) {
    warning(child.place, "bad-mitre", "the mitre block names no technique clearly; it is left out",
            "use id, or one techniqueID with one tacticID");
    return;
  }
  auto& ids = draft_.rule->mitre_ids;
  for (auto& id : techniques)
    if (std::find(ids.techniques.begin(), ids.techniques.end(), id) == ids.techniques.end())
      ids.techniques.push_back(std::move(id));
  if (pair) ids.pairs.emplace_back(std::move(pair_techniques[0]), std::move(pair_tactics[0]));
}

void rule_reader::on_ignore(const xml::element& child, const element_spec& spec) {
  std::string_view rest = child.text;
  for (;;) {
    const auto comma = rest.find(',');
    if (rest.substr(0, comma).empty()) {
      error(child.place, "empty-name", std::string{"'"} + spec.name + "' holds an empty name",
            "write field names with commas between them");
      return;
    }
    if (comma == std::string_view::npos) break;
    rest.remove_prefix(comma + 1);
  }
  warning(child.place, "no-effect", std::string{"'"} + spec.name + "' is read and does nothing",
          "use the ignore attribute of the rule, in seconds");
}

void rule_reader::finish_look_back() {
  auto& rule = *draft_.rule;
  auto& back = rule.look_back;
  back.active = if_matched_sid_ || if_matched_group_.given || if_matched_regex_.given;
  if (if_matched_sid_ && !if_matched_sid_->empty())
    back.kind = look_back_kind::id;
  else if (if_matched_group_.given)
    back.kind = look_back_kind::group;
  else if (back.active)
    back.kind = look_back_kind::all;
  if (if_matched_regex_.given && back.kind == look_back_kind::all) {
    auto compiled = pattern::compile(language::osregex, if_matched_regex_.text, {});
    if (!compiled)
      error(if_matched_regex_.place, "bad-pattern", "if_matched_regex is wrong: " + compiled.error(),
            pattern_hint);
    else
      back.regex = std::move(*compiled);
  }
  const bool frequent = rule.frequency && *rule.frequency > 2;
  if ((window_options_ || frequent) && !back.active && !rule.has_check_diff)
    error(element_.place, "no-look-back",
          (window_options_ ? "'" + window_option_name_ + "'" : std::string{"frequency"})
              + " needs something to count",
          "add if_matched_sid or if_matched_group");
  rule.shows_frequency = back.active;
  if (if_sid_.given) draft_.if_sid = if_sid_.text;
  if (if_level_.given) draft_.if_level = if_level_.text;
  if (if_group_.given) draft_.if_group = if_group_.text;
  if (back.kind == look_back_kind::id) draft_.if_matched_sid = if_matched_sid_;
  if (if_matched_group_.given) draft_.if_matched_group = if_matched_group_.text;
  draft_.if_sid_place = if_sid_.given ? if_sid_.place : element_.place;
  if (back.active && !draft_.if_sid && !draft_.if_group) {
    if (back.kind == look_back_kind::id)
      draft_.if_sid = if_matched_sid_;
    else if (back.kind == look_back_kind::group)
      draft_.if_group = if_matched_group_.text;
  }
  if (back.active && rule.level == 0)
    warning(element_.place, "level-0-composite", "a rule of level 0 that counts earlier events never holds",
            "give it a level of at least 1");
}

void rule_reader::finish_options() {
  auto& rule = *draft_.rule;
  rule.mail = rule.declared_level >= env_.options.email_alert_level;
  bool logs = rule.declared_level >= env_.options.log_alert_level;
  for (const auto& option : options_) {
    if (option == "alert_by_email") {
      rule.mail = true;
    } else if (option == "no_email_alert") {
      // Switching something off also forgets an earlier no_counter (rules.md 1.8, reference quirk).
      if (rule.mail) rule.no_counter = false;
      rule.mail = false;
    } else if (option == "log_alert") {
      logs = true;
    } else if (option == "no_log") {
      if (logs) rule.no_counter = false;
      logs = false;
    } else if (option == "no_ar") {
      rule.no_active_response = true;
    } else if (option == "no_full_log") {
      rule.no_full_log = true;
    } else {
      rule.no_counter = true;
    }
  }
  rule.writes_alert = logs && rule.level > 0;
}

void rule_reader::finish_texts() {
  auto& rule = *draft_.rule;
  rule.description = description_.text;
  rule.description_parts = split_description(rule.description, env_.slots);
  rule.group_text = std::string{group_name_} + group_.text;
  rule.group_text.erase(std::remove(rule.group_text.begin(), rule.group_text.end(), '\n'),
                        rule.group_text.end());
  split_groups(rule.group_text, rule.groups, rule.compliance);
  rule.info = info_.text;
  rule.cve = cve_.text;
  rule.mitre = env_.techniques.expand(rule.mitre_ids);
}

void split_groups(std::string_view group_text, std::vector<std::string>& groups,
                  std::vector<std::pair<std::string, std::vector<std::string>>>& compliance) {
  auto rest = group_text.substr(0, shown_group_bytes);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto item = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (item.empty()) continue;
    const auto prefix =
        std::find_if(compliance_prefixes.begin(), compliance_prefixes.end(),
                     [&](const auto& p) { return item.substr(0, p.first.size()) == p.first; });
    if (prefix == compliance_prefixes.end()) {
      groups.emplace_back(item);
      continue;
    }
    auto member = std::find_if(compliance.begin(), compliance.end(),
                               [&](const auto& m) { return m.first == prefix->second; });
    if (member == compliance.end())
      member = compliance.insert(compliance.end(), {std::string{prefix->second}, {}});
    member->second.emplace_back(item.substr(prefix->first.size()));
  }
}

std::vector<description_part> split_description(std::string_view text, slot_names& slots) {
  std::vector<description_part> parts;
  const auto literal = [&](std::string_view piece) {
    if (piece.empty()) return;
    if (parts.empty() || parts.back().value) parts.emplace_back();
    parts.back().literal += piece;
  };
  text = text.substr(0, template_bytes_max);
  while (!text.empty()) {
    const auto begin = text.find("$(");
    const auto end = begin == std::string_view::npos ? begin : text.find(')', begin + 2);
    if (end == std::string_view::npos) {
      literal(text);
      break;
    }
    literal(text.substr(0, begin));
    const auto name = text.substr(begin + 2, end - begin - 2);
    auto& part = parts.emplace_back();
    part.value = description_operand(name);
    if (!part.value) part.value = operand{operand_kind::dynamic, static_field::srcip, slots.number_of(name)};
    text.remove_prefix(end + 1);
  }
  return parts;
}

} // namespace picket::engine
