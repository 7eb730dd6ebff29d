#include "node/picketctl/logtest_view.hpp"

#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

json mitre_json(const engine::mitre_names& names) {
  return {{"id", names.ids}, {"tactic", names.tactics}, {"technique", names.techniques}};
}

json rule_json(const engine::logtest_answer::rule_shown& rule) {
  json out{{"id", std::to_string(rule.id)}, {"level", rule.level}, {"description", rule.description}};
  if (!rule.info.empty()) out["info"] = rule.info;
  if (!rule.cve.empty()) out["cve"] = rule.cve;
  if (!rule.mitre.ids.empty()) out["mitre"] = mitre_json(rule.mitre);
  if (rule.frequency) out["frequency"] = *rule.frequency;
  if (rule.firedtimes) out["firedtimes"] = *rule.firedtimes;
  out["mail"] = rule.mail;
  out["groups"] = rule.groups;
  for (const auto& [name, values] : rule.compliance)
    out[name] = values;
  return out;
}

json predecoder_json(const engine::logtest_answer& answer) {
  json out = json::object();
  if (answer.program_name) out["program_name"] = *answer.program_name;
  if (answer.timestamp) out["timestamp"] = *answer.timestamp;
  if (answer.hostname) out["hostname"] = *answer.hostname;
  return out;
}

json data_json(const engine::logtest_answer& answer) {
  auto data = json::parse(answer.data, nullptr, false);
  return data.is_discarded() ? json(answer.data) : data;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

/// Nested members as lines: "win.system.eventID". The engine bounds the depth.
void flatten(const json& value, const std::string& name, pairs& to) {
  if (value.is_object()) {
    for (const auto& [key, below] : value.items())
      flatten(below, name.empty() ? key : name + "." + key, to);
    return;
  }
  to.emplace_back(name, value.is_string() ? value.get<std::string>()
                                          : value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string phase(const char* title, const pairs& lines, const char* without) {
  auto body = render_pairs(lines, "  ");
  return std::string{title} + "\n" + (body.empty() ? "  " + std::string{without} + "\n" : body);
}

pairs decoder_lines(const engine::logtest_answer& answer) {
  pairs lines;
  if (!answer.decoder) return lines;
  lines.emplace_back("decoder", *answer.decoder);
  if (answer.parent) lines.emplace_back("parent", *answer.parent);
  flatten(data_json(answer), {}, lines);
  return lines;
}

pairs rule_lines(const engine::logtest_answer& answer) {
  pairs lines;
  if (!answer.rule) return lines;
  const auto& rule = *answer.rule;
  lines.emplace_back("rule", std::to_string(rule.id));
  lines.emplace_back("level", std::to_string(rule.level));
  lines.emplace_back("description", rule.description);
  lines.emplace_back("groups", joined(rule.groups));
  if (rule.firedtimes) lines.emplace_back("fired times", std::to_string(*rule.firedtimes));
  if (rule.frequency) lines.emplace_back("frequency", std::to_string(*rule.frequency));
  lines.emplace_back("mail", rule.mail ? "yes" : "");
  lines.emplace_back("info", rule.info);
  lines.emplace_back("cve", rule.cve);
  lines.emplace_back("mitre", joined(rule.mitre.ids));
  lines.emplace_back("tactics", joined(rule.mitre.tactics));
  lines.emplace_back("techniques", joined(rule.mitre.techniques));
  for (const auto& [name, values] : rule.compliance)
    lines.emplace_back(name, joined(values));
  return lines;
}

} // namespace

json answer_json(const engine::logtest_answer& answer, bool document) {
  json decoder = json::object();
  if (answer.decoder) decoder["name"] = *answer.decoder;
  if (answer.parent) decoder["parent"] = *answer.parent;
  json out{
      {"predecoder", predecoder_json(answer)}, {"decoder", std::move(decoder)}, {"data", data_json(answer)}};
  out["rule"] = answer.rule ? rule_json(*answer.rule) : json(nullptr);
  out["alert"] = answer.alert;
  if (answer.refused) out["refused"] = true;
  if (document) {
    auto parsed = json::parse(answer.document, nullptr, false);
    out["document"] = parsed.is_discarded() ? json(nullptr) : std::move(parsed);
  }
  return out;
}

std::string answer_text(const engine::logtest_answer& answer) {
  auto text = phase("Phase 1: pre-decoding",
                    {{"program name", answer.program_name.value_or("")},
                     {"host name", answer.hostname.value_or("")},
                     {"time stamp", answer.timestamp.value_or("")}},
                    "no program name, host name or time stamp");
  text += "\n" + phase("Phase 2: decoding", decoder_lines(answer), "no decoder");
  auto without = answer.refused
                     ? "dropped before the rules: a firewall event that lacks one of its six fields"
                     : "no rule";
  text += "\n" + phase("Phase 3: rules", rule_lines(answer), without);
  return text + "\n" + (answer.alert ? "-> an alert is written\n" : "-> no alert\n");
}

} // namespace picket::ctl
