#include "engine/load/rule_reader.hpp"

#include "engine/load/rule_elements.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr std::array<std::string_view, 9> attribute_names{
    "id", "level", "maxsize", "timeframe", "frequency", "ignore", "noalert", "overwrite", "accuracy"};

/// FNV-1a over names, attributes and texts, with marks between them: equal elements, equal digest.
void mix(std::uint64_t& digest, std::string_view text) {
  for (const char c : text) {
    digest ^= static_cast<unsigned char>(c);
    digest *= 0x100000001b3ull;
  }
  digest ^= 0xFF;
  digest *= 0x100000001b3ull;
}

void mix(std::uint64_t& digest, const xml::element& element) {
  mix(digest, element.name);
  for (const auto& attribute : element.attributes) {
    mix(digest, attribute.name);
    mix(digest, attribute.value);
  }
  mix(digest, element.text);
  for (const auto& child : element.children)
    mix(digest, child);
  mix(digest, "/");
}

} // namespace

rule_reader::rule_reader(rule_environment& env, std::string_view group_name, const xml::element& element)
    : env_(env)
    , group_name_(group_name)
    , element_(element) {
  draft_.rule = std::make_unique<rule>();
  draft_.rule->place = element.place;
  draft_.rule->timeframe_s = env.options.default_timeframe_s;
}

void rule_reader::report(severity how, const engine::place& where, std::string code, std::string text,
                         std::string hint) {
  diagnostic d;
  d.severity = how;
  d.place = where;
  d.rule = id_given_ ? static_cast<int>(draft_.rule->id) : -1;
  d.code = std::move(code);
  d.text = std::move(text);
  d.hint = std::move(hint);
  env_.out.push_back(std::move(d));
}

void rule_reader::error(const engine::place& where, std::string code, std::string text, std::string hint) {
  failed_ = true;
  report(severity::error, where, std::move(code), std::move(text), std::move(hint));
}

void rule_reader::warning(const engine::place& where, std::string code, std::string text, std::string hint) {
  report(severity::warning, where, std::move(code), std::move(text), std::move(hint));
}

void rule_reader::drop(const engine::place& where, std::string code, std::string text, std::string hint) {
  dropped_ = true;
  warning(where, std::move(code), std::move(text) + "; the rule is left out", std::move(hint));
}

std::optional<std::uint32_t> rule_reader::digits(const xml::attribute& attribute, std::size_t most_digits) {
  std::uint32_t value = 0;
  std::size_t count = 0;
  for (const char c : attribute.value) {
    if (!is_digit(c)) return std::nullopt;
    if (++count <= most_digits) value = value * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return value;
}

void rule_reader::read_id(const xml::attribute& attribute) {
  const auto value = digits(attribute, 6);
  if (!value || attribute.value.empty() || attribute.value.size() > 6) {
    error(attribute.place, "bad-id", "the id '" + attribute.value + "' is not a number of one to six digits",
          "give a number from 1 to 999999 that no other rule has");
    return;
  }
  draft_.rule->id = *value;
  id_given_ = true;
}

void rule_reader::read_level(const xml::attribute& attribute) {
  const auto value = digits(attribute, 4);
  if (!value || *value > 16) {
    error(attribute.place, "bad-level", "the level '" + attribute.value + "' is not a number from 0 to 16",
          "0 is recorded and never alerts, 3 is the first that alerts by default");
    return;
  }
  draft_.rule->declared_level = static_cast<int>(*value);
  level_given_ = true;
}

void rule_reader::read_number(const xml::attribute& attribute) {
  auto& rule = *draft_.rule;
  const auto name = folded(attribute.name);
  const std::size_t most = name == "timeframe" ? 5 : name == "ignore" ? 6 : 4;
  const auto value = digits(attribute, most);
  if (!value) {
    error(attribute.place, "bad-number",
          "'" + attribute.value + "' is not a number, in attribute '" + name + "'",
          "write digits only; seconds have no unit");
    return;
  }
  if (name == "maxsize") {
    maxsize_ = *value;
  } else if (name == "timeframe") {
    if (*value > 0) rule.timeframe_s = *value;
  } else if (name == "ignore") {
    rule.ignore_s = *value;
  } else if (name == "accuracy") {
    rule.accuracy_zero = *value == 0 && !attribute.value.empty();
  } else if (attribute.value.size() > 4 || *value < 2) {
    error(attribute.place, "bad-frequency",
          "the frequency '" + attribute.value + "' is not a number from 2 to 9999",
          "write how many events it takes");
  } else {
    rule.frequency = *value;
  }
}

void rule_reader::read_flag(const xml::attribute& attribute) {
  if (equal_fold(attribute.name, "noalert")) {
    if (attribute.value == "1" || attribute.value == "0") {
      draft_.rule->noalert = attribute.value == "1";
      return;
    }
    warning(attribute.place, "bad-noalert", "noalert is '" + attribute.value + "' and counts as not given",
            "write 0 or 1");
    return;
  }
  if (attribute.value != "yes" && attribute.value != "no")
    error(attribute.place, "bad-overwrite", "overwrite is '" + attribute.value + "'", "write yes or no");
  draft_.overwrite = attribute.value == "yes";
}

void rule_reader::read_attribute(const xml::attribute& attribute) {
  const auto name = folded(attribute.name);
  if (name == "id")
    read_id(attribute);
  else if (name == "level")
    read_level(attribute);
  else if (name == "noalert" || name == "overwrite")
    read_flag(attribute);
  else if (std::find(attribute_names.begin(), attribute_names.end(), name) != attribute_names.end())
    read_number(attribute);
  else
    error(attribute.place, "unknown-attribute", "a rule has no attribute '" + attribute.name + "'",
          did_you_mean(attribute.name, attribute_names));
}

void rule_reader::read_attributes() {
  const auto& all = element_.attributes;
  // The id first, so that findings about the others can name the rule.
  for (const auto& attribute : all)
    if (equal_fold(attribute.name, "id")) read_attribute(attribute);
  for (const auto& attribute : all) {
    ++env_.counts.attributes[folded(attribute.name)];
    if (!equal_fold(attribute.name, "id")) read_attribute(attribute);
    const auto same = [&](const auto& other) { return equal_fold(other.name, attribute.name); };
    if (&*std::find_if(all.begin(), all.end(), same) != &attribute)
      error(attribute.place, "double-attribute", "the attribute '" + attribute.name + "' is given twice",
            "keep one of them");
  }
}

void rule_reader::check_required() {
  const auto has = [&](std::string_view name) {
    return std::any_of(element_.attributes.begin(), element_.attributes.end(),
                       [&](const auto& a) { return equal_fold(a.name, name); });
  };
  if (!has("id")) error(element_.place, "missing-id", "the rule has no id", "add id=\"NUMBER\"");
  if (!has("level"))
    error(element_.place, "missing-level", "the rule has no level", "add level=\"0\" to \"16\"");
  if (element_.children.empty())
    error(element_.place, "empty-rule", "the rule has no elements", "add at least a description");
  else if (!description_.given)
    error(element_.place, "missing-description", "the rule has no description", "add a <description>");
}

/// Counts what is used, and warns of what is not: a slip of the pen makes a condition something else.
void rule_reader::count_attribute(const xml::attribute& attribute, const element_spec& spec) {
  const auto known = attributes_of(spec);
  const std::string element = spec.name;
  if (attribute.name == "type" || attribute.name == "lookup")
    ++env_.counts.elements[element + " " + attribute.name + "=" + folded(attribute.value)];
  else if (attribute.name == "negate")
    ++env_.counts.elements[element + " negate"];
  // Unknown attributes of a list are an error of their own.
  if (spec.order == condition_order::list) return;
  if (std::find(known.begin(), known.end(), attribute.name) != known.end()) return;
  ++env_.counts.not_evaluated[element + " " + attribute.name];
  warning(attribute.place, "ignored-attribute", "'" + attribute.name + "' has no effect on '" + element + "'",
          did_you_mean(attribute.name, known));
}

void rule_reader::read_element(const xml::element& child) {
  const auto* spec = find_element(child.name);
  if (!spec) {
    error(child.place, "unknown-element", "a rule has no element '" + child.name + "'",
          suggest_element(child.name));
    return;
  }
  ++env_.counts.elements[spec->name];
  for (const auto& attribute : child.attributes)
    count_attribute(attribute, *spec);
  (this->*spec->handle)(child, *spec);
}

std::optional<rule_draft> rule_reader::read() {
  read_attributes();
  for (const auto& child : element_.children)
    read_element(child);
  check_required();
  finish_levels();
  finish_patterns();
  finish_look_back();
  finish_options();
  finish_texts();
  auto& rule = *draft_.rule;
  rule.digest = 0xcbf29ce484222325ull;
  mix(rule.digest, group_name_);
  mix(rule.digest, element_);
  if (failed_ || dropped_) return std::nullopt;
  return std::move(draft_);
}

void rule_reader::finish_levels() {
  auto& rule = *draft_.rule;
  rule.root = rule.id < 10;
  const int declared = rule.declared_level;
  if (rule.accuracy_zero) {
    rule.key = declared == 0 ? 99 : declared;
    rule.level = declared == 0 ? 99 : declared;
  } else {
    rule.key = declared == 0 ? 9900 : declared * 100;
    rule.level = declared;
  }
}

} // namespace picket::engine
