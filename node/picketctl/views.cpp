#include "node/picketctl/views.hpp"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "node/picketctl/node_view.hpp"
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
  if (!object.is_object()) return {};
  auto found = object.find(outer);
  return found != object.end() && found->is_object() ? member_text(*found, inner) : std::string{};
}

/// What came from an agent: "1,234 events, 2 dropped, 1.2 MiB, not read for 3 s".
std::string traffic_text(const json& agent, const char* member) {
  auto found = agent.find(member);
  if (found == agent.end() || !found->is_object()) return {};
  auto number = [&](const char* name) {
    auto value = found->find(name);
    return value != found->end() && value->is_number() ? value->get<double>() : 0.0;
  };
  auto text = count_text(number("events")) + " events, " + count_text(number("dropped")) + " dropped, "
              + bytes_text(number("bytes"));
  if (number("paused_seconds") > 0) text += ", not read for " + span_text(number("paused_seconds"));
  return text;
}

std::string paused_text(const json& agent) {
  auto seconds = member_of(agent, "since_start", "paused_seconds");
  return seconds.empty() ? seconds : span_text(std::strtod(seconds.c_str(), nullptr));
}

std::string connection_text(const json& agent) {
  auto text = member_of(agent, "connection", "address");
  if (text.empty()) return {};
  text += " since " + short_time(member_of(agent, "connection", "since"));
  auto waiting = member_of(agent, "connection", "waiting_records");
  if (!waiting.empty() && waiting != "0") text += ", " + waiting + " records wait";
  if (member_of(agent, "connection", "paused") == "yes") text += ", not read for want of room";
  return text;
}

} // namespace

std::string member_text(const json& object, const char* name) {
  if (!object.is_object()) return {};
  auto found = object.find(name);
  return found == object.end() ? std::string{} : value_text(*found);
}

std::string agents_table(const json& items) {
  text_table table{{"ID", "NAME", "ADDRESS", "STATUS", "VERSION", "GROUPS", "LAST CONTACT", "EVENTS",
                    "DROPPED", "PAUSED"}};
  for (const auto& agent : items) {
    table.add({member_text(agent, "id"), member_text(agent, "name"), member_text(agent, "ip"),
               member_text(agent, "status"), member_text(agent, "version"), member_text(agent, "group"),
               short_time(member_text(agent, "lastContact")), member_of(agent, "since_start", "events"),
               member_of(agent, "since_start", "dropped"), paused_text(agent)});
  }
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
                       {"last contact", short_time(member_text(agent, "lastContact"))},
                       {"last keep-alive", short_time(member_text(agent, "lastKeepAlive"))},
                       {"connection", connection_text(agent)},
                       {"it brought", traffic_text(agent, "connection")},
                       {"since start", traffic_text(agent, "since_start")},
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

} // namespace picket::ctl
