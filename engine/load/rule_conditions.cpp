// Conditions on the current event: rules.md 1.4 and 1.5.
#include "engine/load/rule_elements.hpp"
#include "engine/load/rule_reader.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <utility>

namespace picket::engine {

namespace {

constexpr std::size_t text_bytes_max = 2048; ///< rules.md 1.9

constexpr std::array<std::string_view, 3> language_names{"osmatch", "osregex", "pcre2"};
constexpr std::array<std::string_view, 8> category_names{
    "syslog", "firewall", "ids", "web-log", "squid", "windows", "host-information", "ossec"};
constexpr std::size_t host_information_category = 6; ///< a decoder type that no rule category reaches

constexpr std::array<std::string_view, 5> compiled_names{"comp_srcuser_dstuser", "check_id_size",
                                                         "is_simple_http_request", "is_valid_crawler",
                                                         "comp_mswin_targetuser_calleruser_diff"};
constexpr std::array<std::string_view, 6> lookup_names{
    "match_key",         "not_match_key",         "match_key_value",
    "address_match_key", "not_address_match_key", "address_match_key_value"};

/// Names that `field` may not use, rules.md 1.4.
constexpr std::array<std::string_view, 17> static_names{
    "srcip", "dstip", "srcgeoip", "dstgeoip",   "srcport", "dstport",  "user",        "srcuser", "dstuser",
    "url",   "id",    "data",     "extra_data", "status",  "protocol", "system_name", "action"};

/// Static names that `list field` knows, rules.md 1.5; any other is a dynamic field.
constexpr std::array<std::pair<std::string_view, operand>, 15> list_fields{{
    {"srcip", {operand_kind::fixed, static_field::srcip, 0}},
    {"srcport", {operand_kind::fixed, static_field::srcport, 0}},
    {"dstip", {operand_kind::fixed, static_field::dstip, 0}},
    {"dstport", {operand_kind::fixed, static_field::dstport, 0}},
    {"user", {operand_kind::list_user, static_field::srcuser, 0}},
    {"url", {operand_kind::fixed, static_field::url, 0}},
    {"id", {operand_kind::fixed, static_field::id, 0}},
    {"hostname", {operand_kind::hostname, static_field::srcip, 0}},
    {"program_name", {operand_kind::program_name, static_field::srcip, 0}},
    {"status", {operand_kind::fixed, static_field::status, 0}},
    {"action", {operand_kind::fixed, static_field::action, 0}},
    {"protocol", {operand_kind::fixed, static_field::protocol, 0}},
    {"system_name", {operand_kind::fixed, static_field::system_name, 0}},
    {"data", {operand_kind::fixed, static_field::data, 0}},
    {"extra_data", {operand_kind::fixed, static_field::extra_data, 0}},
}};

template <std::size_t N>
std::optional<std::size_t> position(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto it = std::find(names.begin(), names.end(), name);
  if (it == names.end()) return std::nullopt;
  return static_cast<std::size_t>(it - names.begin());
}

template <std::size_t N>
std::optional<std::size_t> position_fold(const std::array<std::string_view, N>& names,
                                         std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (equal_fold(names[i], name)) return i;
  return std::nullopt;
}

const xml::attribute* attribute_of(const xml::element& element, std::string_view name) {
  for (const auto& attribute : element.attributes)
    if (attribute.name == name) return &attribute;
  return nullptr;
}

} // namespace

bool rule_reader::join(joined& to, const xml::element& child, std::string_view piece) {
  const bool first = to.pieces++ == 0;
  const bool fits = first ? piece.size() < text_bytes_max
                          : piece.size() <= text_bytes_max && to.text.size() <= text_bytes_max;
  if (!to.given) to.place = child.place;
  to.given = true;
  if (!fits) {
    error(child.place, "text-too-long",
          "the text of '" + child.name + "' has " + std::to_string(piece.size()) + " bytes, more than "
              + std::to_string(text_bytes_max - 1),
          "split it over several rules or put the values into a list");
    return false;
  }
  to.text += piece;
  return true;
}

std::optional<language> rule_reader::type_of(const xml::element& child) {
  const auto* type = attribute_of(child, "type");
  if (!type) return std::nullopt;
  language lang;
  if (parse_language(type->value, lang)) return lang;
  warning(type->place, "bad-type", "'" + type->value + "' is no pattern language; the default is used",
          did_you_mean(type->value, language_names));
  return std::nullopt;
}

bool rule_reader::negate_of(const xml::element& child) {
  const auto* negate = attribute_of(child, "negate");
  if (!negate || equal_fold(negate->value, "no")) return false;
  if (equal_fold(negate->value, "yes")) return true;
  warning(negate->place, "bad-negate", "negate is '" + negate->value + "' and counts as no",
          "write yes or no");
  return false;
}

condition& rule_reader::add_condition(condition_kind kind, const element_spec& spec) {
  auto& added = draft_.rule->conditions.emplace_back();
  added.kind = kind;
  added.order = spec.order;
  added.element = spec.name;
  added.operand = spec.operand;
  return added;
}

void rule_reader::keep_last_only(std::uint8_t order) {
  auto& all = draft_.rule->conditions;
  all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& c) { return c.order == order; }),
            all.end());
}

void rule_reader::on_joined(const xml::element& child, const element_spec& spec) {
  auto& to = joined_conditions_[spec.order];
  to.spec = &spec;
  join(to, child, child.text);
  // Language and negation are those of the last element, also when it has none.
  to.type = type_of(child);
  to.negate = negate_of(child);
  to.place = child.place;
}

void rule_reader::on_field(const xml::element& child, const element_spec& spec) {
  const auto* name = attribute_of(child, "name");
  if (!name || name->value.empty()) {
    error(child.place, "field-without-name", "the field has no name", "add name=\"FIELD\"");
    return;
  }
  if (const auto at = position_fold(static_names, name->value)) {
    const std::string element{static_names[*at]};
    error(name->place, "static-field", "'" + name->value + "' is a static field",
          "use the element <" + element + "> instead");
    return;
  }
  if (++fields_ > env_.options.order_size) {
    error(child.place, "too-many-fields",
          "the rule has more than " + std::to_string(env_.options.order_size) + " field conditions",
          "part it into a rule and a child of it");
    return;
  }
  const auto type = type_of(child).value_or(spec.language);
  const bool negate = negate_of(child);
  auto compiled = pattern::compile(type, child.text, {false, negate});
  if (!compiled) {
    error(child.place, "bad-pattern",
          "the pattern of field '" + name->value + "' is wrong: " + compiled.error(), pattern_hint);
    return;
  }
  auto& added = add_condition(condition_kind::text, spec);
  added.operand.slot = env_.slots.number_of(name->value);
  added.text = std::move(*compiled);
}

void rule_reader::on_address(const xml::element& child, const element_spec& spec) {
  std::string_view text = child.text;
  if (!text.empty() && text.front() == '!') {
    warning(child.place, "address-negation", "'!' in front of an address has no effect",
            "write negate=\"yes\" to turn the condition round");
    text.remove_prefix(1);
  }
  const auto range = parse_address_range(text);
  if (!range) {
    error(child.place, "bad-address", "'" + child.text + "' is no address",
          "write an address, address/prefix, address/netmask or any");
    return;
  }
  auto& all = draft_.rule->conditions;
  auto it = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.order == spec.order; });
  auto& to = it != all.end() ? *it : add_condition(condition_kind::address, spec);
  if (!to.address) to.address = std::make_unique<address_condition>();
  to.address->ranges.push_back(*range);
  to.address->negate = negate_of(child);
}

bool rule_reader::read_list_attributes(const xml::element& child, list_condition& to) {
  bool has_field = false;
  for (const auto& attribute : child.attributes) {
    if (equal_fold(attribute.name, "field")) {
      has_field = true;
      const auto known = std::find_if(list_fields.begin(), list_fields.end(),
                                      [&](const auto& f) { return equal_fold(f.first, attribute.value); });
      if (known != list_fields.end()) {
        to.operand = known->second;
        continue;
      }
      std::string_view name = attribute.value;
      name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
      name = name.substr(0, name.find(' '));
      to.operand.kind = operand_kind::dynamic;
      to.operand.slot = env_.slots.number_of(name);
    } else if (equal_fold(attribute.name, "lookup")) {
      const auto at = position_fold(lookup_names, attribute.value);
      if (!at) {
        error(attribute.place, "bad-lookup", "a list has no lookup '" + attribute.value + "'",
              did_you_mean(attribute.value, lookup_names));
        return false;
      }
      to.lookup = static_cast<lookup_kind>(*at);
    } else if (equal_fold(attribute.name, "check_value")) {
      auto compiled = pattern::compile(language::osmatch, attribute.value, {});
      if (!compiled) {
        error(attribute.place, "bad-pattern", "check_value is wrong: " + compiled.error(), pattern_hint);
        return false;
      }
      to.check_value = std::move(*compiled);
    } else {
      constexpr std::array<std::string_view, 3> known{"field", "lookup", "check_value"};
      error(attribute.place, "unknown-attribute", "a list has no attribute '" + attribute.name + "'",
            did_you_mean(attribute.name, known));
      return false;
    }
  }
  if (!has_field) error(child.place, "list-without-field", "the list has no field", "add field=\"NAME\"");
  return has_field;
}

void rule_reader::on_list(const xml::element& child, const element_spec& spec) {
  auto list = std::make_unique<list_condition>();
  if (!read_list_attributes(child, *list)) return;
  list->path = child.text;
  std::string_view path = child.text;
  if (path.size() > 4 && path.substr(path.size() - 4) == ".cdb") path.remove_suffix(4);
  const auto found = env_.lists.find(std::string{path});
  if (found == env_.lists.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : env_.lists)
      names.push_back(name);
    std::sort(names.begin(), names.end());
    drop(child.place, "unknown-list", "there is no list '" + child.text + "'", did_you_mean(path, names));
    return;
  }
  list->list = found->second.get();
  if (list->lookup == lookup_kind::address_match_key_value)
    warning(child.place, "address-key-value",
            "address_match_key_value holds when the key is found and its value matches, as documented",
            "other engines turn it round; test the rule");
  add_condition(condition_kind::list, spec).list = std::move(list);
}

void rule_reader::on_decoded_as(const xml::element& child, const element_spec& spec) {
  const auto identity = env_.decoders.identity_of(child.text);
  if (!identity) {
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : env_.decoders.identities)
      names.push_back(name);
    std::sort(names.begin(), names.end());
    error(child.place, "unknown-decoder", "there is no decoder '" + child.text + "'",
          did_you_mean(child.text, names));
    return;
  }
  keep_last_only(spec.order);
  add_condition(condition_kind::decoded_as, spec).number = *identity;
}

void rule_reader::on_category(const xml::element& child, const element_spec&) {
  const auto at = position(category_names, child.text);
  if (!at || *at == host_information_category) {
    error(child.place, "unknown-category", "there is no category '" + child.text + "'",
          did_you_mean(child.text, category_names));
    return;
  }
  draft_.rule->category = static_cast<event_type>(*at);
}

void rule_reader::on_time(const xml::element& child, const element_spec& spec) {
  const auto window = parse_time_window(child.text);
  if (!window) {
    error(child.place, "bad-time", "'" + child.text + "' is no time of day range",
          "write for example '22:00 - 06:00' or '6 pm - 8:30 am'");
    return;
  }
  if (window->negation_lost)
    warning(child.place, "time-negation", "'!' in front of a range over midnight has no effect",
            "write the opposite range");
  keep_last_only(spec.order);
  add_condition(condition_kind::time, spec).time = *window;
}

void rule_reader::on_weekday(const xml::element& child, const element_spec& spec) {
  const auto days = parse_weekdays(child.text);
  if (!days) {
    error(child.place, "bad-weekday", "'" + child.text + "' names no days",
          "write names such as 'monday,tue weekends'; '!' is not possible");
    return;
  }
  keep_last_only(spec.order);
  add_condition(condition_kind::weekday, spec).number = *days;
}

void rule_reader::on_compiled(const xml::element& child, const element_spec& spec) {
  const auto at = position(compiled_names, child.text);
  if (!at) {
    error(child.place, "unknown-compiled-rule", "there is no compiled rule '" + child.text + "'",
          did_you_mean(child.text, compiled_names));
    return;
  }
  keep_last_only(spec.order);
  add_condition(condition_kind::compiled, spec).number = static_cast<std::uint32_t>(*at);
}

void rule_reader::on_flag(const xml::element&, const element_spec& spec) {
  if (spec.order == 0) {
    draft_.rule->look_back.global = true;
    window_options_ = true;
    window_option_name_ = spec.name;
    return;
  }
  const bool diff = spec.order == condition_order::check_diff;
  keep_last_only(spec.order);
  add_condition(diff ? condition_kind::check_diff : condition_kind::if_fts, spec);
  draft_.rule->has_check_diff |= diff;
}

void rule_reader::finish_patterns() {
  for (auto& [order, text] : joined_conditions_) {
    auto compiled =
        pattern::compile(text.type.value_or(text.spec->language), text.text, {false, text.negate});
    if (!compiled) {
      error(text.place, "bad-pattern",
            std::string{"the pattern of '"} + text.spec->name + "' is wrong: " + compiled.error(),
            pattern_hint);
      continue;
    }
    auto& added = add_condition(condition_kind::text, *text.spec);
    added.text = std::move(*compiled);
  }
  if (maxsize_ > 0) {
    static constexpr element_spec maxsize{"maxsize", nullptr, condition_order::maxsize};
    add_condition(condition_kind::size, maxsize).number = maxsize_;
  }
  auto& all = draft_.rule->conditions;
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.order < b.order; });
  const auto lists =
      std::count_if(all.begin(), all.end(), [](const auto& c) { return c.kind == condition_kind::list; });
  if (lists > 2)
    warning(element_.place, "many-lists",
            "the rule has " + std::to_string(lists) + " lists; all of them are tested",
            "other engines test the last two only");
}

} // namespace picket::engine
