#include "engine/render/fragments.hpp"

#include "engine/render/escape.hpp"

namespace picket::engine {

namespace {

void append_array(std::string& to, std::string_view name, const std::vector<std::string>& texts) {
  to.append("\"").append(name).append("\":[");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) to.push_back(',');
    append_json_string(to, texts[i]);
  }
  to.push_back(']');
}

} // namespace

rule_fragments make_fragments(const rule& of) {
  rule_fragments made;
  made.head = "\"rule\":{";
  if (of.level != 0) made.head += "\"level\":" + std::to_string(of.level) + ",";
  made.head += "\"description\":\"";
  append_escaped(made.description, of.description);

  made.middle = "\",\"id\":\"" + std::to_string(of.id) + "\"";
  if (!of.mitre.tactics.empty()) {
    made.middle += ",\"mitre\":{";
    append_array(made.middle, "id", of.mitre.ids);
    made.middle += ",";
    append_array(made.middle, "tactic", of.mitre.tactics);
    made.middle += ",";
    append_array(made.middle, "technique", of.mitre.techniques);
    made.middle += "}";
  }
  if (!of.cve.empty()) {
    made.middle += ",\"cve\":";
    append_json_string(made.middle, of.cve);
  }
  if (!of.info.empty()) {
    made.middle += ",\"info\":";
    append_json_string(made.middle, of.info);
  }
  if (of.shows_frequency) made.middle += ",\"frequency\":" + std::to_string(of.frequency.value_or(2));

  made.tail = of.mail ? ",\"mail\":true" : ",\"mail\":false";
  if (!of.groups.empty()) {
    made.tail += ",";
    append_array(made.tail, "groups", of.groups);
  }
  for (const auto& [name, values] : of.compliance) {
    made.tail += ",";
    append_array(made.tail, name, values);
  }
  made.tail += "}";
  return made;
}

} // namespace picket::engine
