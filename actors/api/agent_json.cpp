#include "actors/api/agent_json.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace picket::api {

std::string iso_time(std::int64_t ms) {
  std::time_t seconds = ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text;
}

namespace {

json os_object(const std::string& uname) {
  auto os = protocol::parse_uname(uname);
  json object = json::object();
  auto put = [&](const char* key, const std::string& value) {
    if (!value.empty()) object[key] = value;
  };
  put("arch", os.architecture);
  put("build", os.build);
  put("codename", os.codename);
  put("major", os.major);
  put("minor", os.minor);
  put("name", os.name);
  put("platform", os.platform);
  put("uname", uname);
  put("version", os.version);
  return object;
}

} // namespace

namespace {

json traffic_object(const traffic_figures& traffic) {
  return {{"events", traffic.events},
          {"dropped", traffic.dropped},
          {"records", traffic.records},
          {"bytes", traffic.bytes},
          {"paused_seconds", static_cast<double>(traffic.paused_ms / 100) / 10}};
}

void add_contact(json& agent, const agent_contact& contact, std::int64_t last_keepalive_ms) {
  if (auto last_ms = std::max(contact.last_byte_ms, last_keepalive_ms); last_ms > 0)
    agent["lastContact"] = iso_time(last_ms);
  if (contact.connected) {
    auto connection = traffic_object(contact.connection);
    connection["address"] = contact.address;
    connection["since"] = iso_time(contact.connected_ms);
    connection["waiting_records"] = contact.waiting_records;
    connection["paused"] = contact.paused;
    agent["connection"] = std::move(connection);
  }
  agent["since_start"] = traffic_object(contact.total);
}

} // namespace

json agent_object(agent_id id, const protocol::agent_row& row, const std::optional<agent_status>& status,
                  const agent_contact& contact, const std::string& node_name) {
  static const agent_status none;
  const auto& known = status ? *status : none;
  const auto& said = known.last_keepalive;
  bool ever = known.connection.state != protocol::agent_state::never_connected;
  json agent{{"id", to_text(id)}, {"name", row.name}};
  agent["ip"] = said.agent_ip.empty() ? row.address : said.agent_ip;
  agent["registerIP"] = row.address;
  agent["status"] = std::string{protocol::name_of(known.connection.state)};
  agent["status_code"] = static_cast<int>(known.connection.code);
  if (!said.version.empty()) agent["version"] = said.version;
  agent["manager"] = node_name;
  agent["node_name"] = ever ? node_name : std::string{"unknown"};
  if (!row.groups.empty()) agent["group"] = row.groups;
  agent["group_config_status"] = known.synced ? "synced" : "not synced";
  if (!said.config_sum.empty()) agent["configSum"] = said.config_sum;
  if (!said.merged_sum.empty() && said.merged_sum != "x") agent["mergedSum"] = said.merged_sum;
  agent["dateAdd"] = iso_time(row.time_ms);
  if (known.connection.last_keepalive_ms > 0)
    agent["lastKeepAlive"] = iso_time(known.connection.last_keepalive_ms);
  if (known.connection.disconnection_ms > 0)
    agent["disconnection_time"] = iso_time(known.connection.disconnection_ms);
  if (!said.uname.empty()) agent["os"] = os_object(said.uname);
  add_contact(agent, contact, known.connection.last_keepalive_ms);
  return agent;
}

namespace {

std::string base64(std::string_view bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    auto count = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      text.push_back(j <= count ? digits[group >> (18 - 6 * j) & 63] : '=');
  }
  return text;
}

} // namespace

std::string import_key(agent_id id, const protocol::agent_row& row) {
  return base64(to_text(id) + " " + row.name + " " + row.address + " " + row.key);
}

std::string state_name(const std::optional<agent_status>& status) {
  return std::string{
      protocol::name_of(status ? status->connection.state : protocol::agent_state::never_connected)};
}

agent_id agent_id_from(const std::string& text) noexcept {
  agent_id id = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (problem != std::errc{} || end != text.data() + text.size() || text.size() > 8) return 0;
  return id;
}

} // namespace picket::api
