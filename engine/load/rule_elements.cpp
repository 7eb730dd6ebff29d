#include "engine/load/rule_elements.hpp"

#include "engine/text/fold.hpp"

#include <vector>

namespace picket::engine {

namespace {

constexpr operand of(operand_kind kind) { return {kind, static_field::srcip, 0}; }
constexpr operand of(static_field field) { return {operand_kind::fixed, field, 0}; }

} // namespace

std::vector<element_spec> rule_reader::condition_specs() {
  using r = rule_reader;
  using f = static_field;
  using k = operand_kind;
  namespace o = condition_order;
  return {
      // Conditions on the current event, rules.md 1.4.
      {"match", &r::on_joined, o::match, of(k::log)},
      {"regex", &r::on_joined, o::regex, of(k::log), language::osregex},
      {"program_name", &r::on_joined, o::program_name, of(k::program_name)},
      {"hostname", &r::on_joined, o::hostname, of(k::hostname)},
      {"location", &r::on_joined, o::location, of(k::location)},
      {"id", &r::on_joined, o::id, of(f::id)},
      {"url", &r::on_joined, o::url, of(f::url)},
      {"data", &r::on_joined, o::data, of(f::data)},
      {"extra_data", &r::on_joined, o::extra_data, of(f::extra_data)},
      {"status", &r::on_joined, o::status, of(f::status)},
      {"system_name", &r::on_joined, o::system_name, of(f::system_name)},
      {"protocol", &r::on_joined, o::protocol, of(f::protocol)},
      {"srcport", &r::on_joined, o::srcport, of(f::srcport)},
      {"dstport", &r::on_joined, o::dstport, of(f::dstport)},
      {"srcgeoip", &r::on_joined, o::srcgeoip, of(k::geo)},
      {"dstgeoip", &r::on_joined, o::dstgeoip, of(k::geo)},
      {"action", &r::on_joined, o::action, of(f::action), language::exact},
      {"user", &r::on_joined, o::user, of(k::user)},
      {"srcip", &r::on_address, o::srcip, of(f::srcip)},
      {"dstip", &r::on_address, o::dstip, of(f::dstip)},
      {"field", &r::on_field, o::field, of(k::dynamic), language::osregex},
      {"list", &r::on_list, o::list},
      {"decoded_as", &r::on_decoded_as, o::decoded_as},
      {"category", &r::on_category},
      {"time", &r::on_time, o::time},
      {"weekday", &r::on_weekday, o::weekday},
      {"compiled_rule", &r::on_compiled, o::compiled_rule},
      {"check_diff", &r::on_flag, o::check_diff},
      {"if_fts", &r::on_flag, o::if_fts},
  };
}

std::vector<element_spec> rule_reader::placement_specs() {
  using r = rule_reader;
  using k = operand_kind;
  return {
      // Placement and look-back, rules.md 1.6 and 1.7.
      {"if_sid", &r::on_placement},
      {"if_level", &r::on_placement},
      {"if_group", &r::on_placement},
      {"if_matched_sid", &r::on_placement},
      {"if_matched_group", &r::on_placement},
      {"if_matched_regex", &r::on_placement},
      {"global_frequency", &r::on_flag},
      {"same_agent", &r::on_without_effect},
      {"not_same_agent", &r::on_without_effect},
      {"same_field", &r::on_same_field, 0, of(k::dynamic)},
      {"not_same_field", &r::on_same_field, 1, of(k::dynamic)},
      {"different_field", &r::on_same_field, 1, of(k::dynamic)},
  };
}

std::vector<element_spec> rule_reader::comparison_specs() {
  using r = rule_reader;
  using f = static_field;
  using k = operand_kind;
  constexpr auto osmatch = language::osmatch;
  return {
      // Equal values, rules.md 4.5.
      {"same_source_ip", &r::on_same, 0, of(f::srcip)},
      {"same_srcip", &r::on_same, 0, of(f::srcip)},
      {"same_src_port", &r::on_same, 0, of(f::srcport)},
      {"same_srcport", &r::on_same, 0, of(f::srcport)},
      {"same_dst_port", &r::on_same, 0, of(f::dstport)},
      {"same_dstport", &r::on_same, 0, of(f::dstport)},
      {"same_user", &r::on_same, 0, of(f::dstuser)},
      {"same_srcuser", &r::on_same, 0, of(f::srcuser)},
      {"same_id", &r::on_same, 0, of(f::id), osmatch, true},
      {"same_location", &r::on_same, 0, of(k::location)},
      {"same_dstip", &r::on_same, 0, of(f::dstip)},
      {"same_protocol", &r::on_same, 0, of(f::protocol)},
      {"same_action", &r::on_same, 0, of(f::action)},
      {"same_url", &r::on_same, 0, of(f::url), osmatch, true},
      {"same_data", &r::on_same, 0, of(f::data), osmatch, true},
      {"same_extra_data", &r::on_same, 0, of(f::extra_data), osmatch, true},
      {"same_status", &r::on_same, 0, of(f::status), osmatch, true},
      {"same_system_name", &r::on_same, 0, of(f::system_name), osmatch, true},
      {"same_srcgeoip", &r::on_same, 0, of(k::geo), osmatch, true},
      {"same_dstgeoip", &r::on_same, 0, of(k::geo), osmatch, true},
      // Different values.
      {"different_srcip", &r::on_different, 0, of(f::srcip), osmatch, true},
      {"not_same_source_ip", &r::on_different, 0, of(f::srcip), osmatch, true},
      {"different_src_port", &r::on_different, 0, of(f::srcport)},
      {"different_srcport", &r::on_different, 0, of(f::srcport)},
      {"different_dst_port", &r::on_different, 0, of(f::dstport)},
      {"different_dstport", &r::on_different, 0, of(f::dstport)},
      {"different_user", &r::on_different, 0, of(f::dstuser)},
      {"not_same_user", &r::on_different, 0, of(f::dstuser)},
      {"different_srcuser", &r::on_different, 0, of(f::srcuser)},
      {"different_id", &r::on_different, 0, of(f::id), osmatch, true},
      {"not_same_id", &r::on_different, 0, of(f::id), osmatch, true},
      {"different_location", &r::on_different, 0, of(k::location)},
      {"different_dstip", &r::on_different, 0, of(f::dstip)},
      {"different_protocol", &r::on_different, 0, of(f::protocol), osmatch, true},
      {"different_action", &r::on_different, 0, of(f::action), osmatch, true},
      {"different_url", &r::on_different, 0, of(f::url), osmatch, true},
      {"different_data", &r::on_different, 0, of(f::data), osmatch, true},
      {"different_extra_data", &r::on_different, 0, of(f::extra_data), osmatch, true},
      {"different_status", &r::on_different, 0, of(f::status), osmatch, true},
      {"different_system_name", &r::on_different, 0, of(f::system_name), osmatch, true},
      {"different_srcgeoip", &r::on_different, 0, of(k::geo), osmatch, true},
      {"different_dstgeoip", &r::on_different, 0, of(k::geo), osmatch, true},
  };
}

std::vector<element_spec> rule_reader::output_specs() {
  using r = rule_reader;
  return {
      // Shape of the output, rules.md 1.8.
      {"description", &r::on_description},
      {"group", &r::on_text},
      {"info", &r::on_text},
      {"cve", &r::on_text},
      {"options", &r::on_option},
      {"mitre", &r::on_mitre},
      {"ignore", &r::on_ignore},
      {"check_if_ignored", &r::on_ignore},
  };
}

std::vector<std::string_view> rule_reader::attributes_of(const element_spec& spec) {
  if (spec.handle == &rule_reader::on_joined) return {"type", "negate"};
  if (spec.handle == &rule_reader::on_field) return {"name", "type", "negate"};
  if (spec.handle == &rule_reader::on_address) return {"negate"};
  if (std::string_view{spec.name} == "info") return {"type"};
  return {};
}

std::span<const element_spec> element_specs() {
  static const std::vector<element_spec> specs = [] {
    std::vector<element_spec> all;
    for (const auto& part : {rule_reader::condition_specs(), rule_reader::placement_specs(),
                             rule_reader::comparison_specs(), rule_reader::output_specs()})
      all.insert(all.end(), part.begin(), part.end());
    return all;
  }();
  return specs;
}

const element_spec* find_element(std::string_view name) {
  for (const auto& spec : element_specs())
    if (spec.exact_case ? name == spec.name : equal_fold(name, spec.name)) return &spec;
  return nullptr;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto near = nearest(word, known.data(), known.size());
  if (!near.empty()) return "did you mean '" + std::string{near} + "'?";
  if (known.empty()) return "take it out; there is none";
  constexpr std::size_t names_shown = 20;
  std::string names;
  for (std::size_t i = 0; i < std::min(known.size(), names_shown); ++i)
    names += (names.empty() ? "" : ", ") + std::string{known[i]};
  return "there are " + names + (known.size() > names_shown ? ", …" : "");
}

std::string suggest_element(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& spec : element_specs())
    names.emplace_back(spec.name);
  return did_you_mean(name, names);
}

} // namespace picket::engine
