#include "node/picketctl/views.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

/// "2026-01-02T03:04:05+00:00" as "2026-01-02T03:04:05Z", which is as clear and shorter.
std::string short_time(std::string text) {
  constexpr std::string_view utc = "+00:00";
  if (text.size() > utc.size() && text.compare(text.size() - utc.size(), utc.size(), utc) == 0)
    text.replace(text.size() - utc.size(), utc.size(), "Z");
  return text;
}

std::string value_text(const json& value) {
  if (value.is_null()) return {};
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_array()) return value.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string text;
  for (const auto& each : value)
    text += (text.empty() ? "" : ", ") + value_text(each);
  return text;
}

std::string member_of(const json& object, const char* outer, const char* inner) {
  auto found = object.find(outer);
  return found != object.end() && found->is_object() ? member_text(*found, inner) : std::string{};
}

/// 1234567 as "1,234,567".
std::string grouped(const std::string& digits) {
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return digits;
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

} // namespace

std::string member_text(const json& object, const char* name) {
  if (!object.is_object()) return {};
  auto found = object.find(name);
  return found == object.end() ? std::string{} : value_text(*found);
}

std::string agents_table(const json& items) {
  text_table table{{"ID", "NAME", "ADDRESS", "STATUS", "VERSION", "GROUPS", "LAST KEEP-ALIVE"}};
  for (const auto& agent : items)
    table.add({member_text(agent, "id"), member_text(agent, "name"), member_text(agent, "ip"),
               member_text(agent, "status"), member_text(agent, "version"), member_text(agent, "group"),
               short_time(member_text(agent, "lastKeepAlive"))});
  return table.render();
}

std::string agent_details(const json& agent) {
  return render_pairs({{"id", member_text(agent, "id")},
                       {"name", member_text(agent, "name")},
                       {"status", member_text(agent, "status")},
                       {"address", member_text(agent, "ip")},
                       {"registered address", member_text(agent, "registerIP")},
                       {"version", member_text(agent, "version")},
                       {"system", member_of(agent, "os", "uname")},
                       {"node", member_text(agent, "node_name")},
                       {"groups", member_text(agent, "group")},
                       {"configuration", member_text(agent, "group_config_status")},
                       {"registered", short_time(member_text(agent, "dateAdd"))},
                       {"last keep-alive", short_time(member_text(agent, "lastKeepAlive"))},
                       {"disconnected", short_time(member_text(agent, "disconnection_time"))}});
}

std::string groups_table(const json& items) {
  text_table table{{"GROUP", "AGENTS"}};
  for (const auto& group : items)
    table.add({member_text(group, "name"), member_text(group, "count")});
  return table.render();
}

std::string letters_table(const json& items) {
  text_table table{{"ID", "AGENT", "NAME", "ARRIVED", "REASON", "SEEN AGAIN"}};
  for (const auto& letter : items)
    table.add({member_text(letter, "id"), member_text(letter, "agent"), member_text(letter, "agent_name"),
               short_time(member_text(letter, "arrived")), member_text(letter, "reason"),
               member_text(letter, "seen_again")});
  return table.render();
}

std::string letter_details(const json& letter) {
  auto batch = member_text(letter, "batch");
  return render_pairs({{"id", member_text(letter, "id")},
                       {"agent", member_text(letter, "agent")},
                       {"name", member_text(letter, "agent_name")},
                       {"arrived", short_time(member_text(letter, "arrived"))},
                       {"set aside", short_time(member_text(letter, "kept"))},
                       {"reason", member_text(letter, "reason")},
                       {"fatal by itself", member_text(letter, "examined")},
                       {"seen again", member_text(letter, "seen_again")},
                       {"node", member_text(letter, "node")},
                       {"batch", batch.empty() ? batch : batch + ", record " + member_text(letter, "record")},
                       {"location", member_text(letter, "location")},
                       {"text", member_text(letter, "text")},
                       {member_text(letter, "form") + " bytes", member_text(letter, "data")}});
}

std::string node_status_text(const json& data) {
  auto because = member_of(data, "ready", "because");
  std::vector<std::pair<std::string, std::string>> head{
      {"node", member_text(data, "node")},
      {"version", member_text(data, "version")},
      {"cluster", member_text(data, "cluster")},
      {"started", short_time(member_text(data, "started"))},
      {"ready for agents", member_of(data, "ready", "ingest")},
      {"ready for changes", member_of(data, "ready", "control")},
      {"not ready because", because}};
  auto out = render_pairs(head);
  for (const char* part : {"facts", "counts"}) {
    auto found = data.find(part);
    if (found == data.end() || !found->is_object() || found->empty()) continue;
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& [name, value] : found->items()) {
      auto label = name;
      std::replace(label.begin(), label.end(), '_', ' ');
      auto text = value_text(value);
      lines.emplace_back(label, std::string_view{part} == "counts" ? grouped(text) : text);
    }
    out += "\n" + render_pairs(lines);
  }
  return out;
}

} // namespace picket::ctl
