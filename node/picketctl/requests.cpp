#include "node/picketctl/requests.hpp"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

namespace {

/// A whole file's agents are committed in many steps.
constexpr int import_timeout_s = 300;
/// Each letter is a file.
constexpr int letters_timeout_s = 120;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ",") + word;
  return text;
}

std::string body_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

api_request request(std::string method, std::string path,
                    std::vector<std::pair<std::string, std::string>> query = {}) {
  api_request made;
  made.method = std::move(method);
  made.path = std::move(path);
  for (auto& [name, value] : query)
    if (!value.empty()) made.query.emplace_back(std::move(name), std::move(value));
  return made;
}

api_request with_body(api_request made, const json& body) {
  made.body = body_text(body);
  return made;
}

} // namespace

api_request list_agents(const agent_filter& filter, std::size_t offset) {
  return request("GET", "/agents",
                 {{"match", filter.match},
                  {"status", filter.status},
                  {"group", filter.group},
                  {"offset", std::to_string(offset)},
                  {"limit", std::to_string(agents_per_page)}});
}

api_request show_agent(const std::string& id) {
  return request("GET", "/agents", {{"agents_list", normal_id(id)}});
}

api_request add_agent(const std::string& name, const std::string& address,
                      const std::vector<std::string>& groups) {
  json body{{"name", name}};
  if (!address.empty()) body["ip"] = address;
  if (!groups.empty()) body["groups"] = groups;
  return with_body(request("POST", "/agents"), body);
}

api_request remove_agents(const std::vector<std::string>& ids) {
  std::vector<std::string> normal;
  std::transform(ids.begin(), ids.end(), std::back_inserter(normal), normal_id);
  return request("DELETE", "/agents",
                 {{"agents_list", joined(normal)}, {"status", "all"}, {"older_than", "0s"}});
}

api_request agent_key(const std::string& id) {
  return request("GET", "/agents/" + escape_url(normal_id(id)) + "/key");
}

api_request change_groups(const std::string& id, const std::string& change,
                          const std::vector<std::string>& groups) {
  return with_body(request("PUT", "/picket/agents/" + escape_url(normal_id(id)) + "/groups"),
                   {{"change", change}, {"groups", groups}});
}

api_request import_keys(std::string file, bool skip_faults) {
  auto made = request("POST", "/picket/keys", {{"skip_faults", skip_faults ? "true" : ""}});
  made.body = std::move(file);
  made.content_type = "text/plain";
  made.timeout_s = import_timeout_s;
  return made;
}

api_request export_keys() { return request("GET", "/picket/keys"); }

api_request list_groups(std::size_t offset) {
  return request("GET", "/groups",
                 {{"offset", std::to_string(offset)}, {"limit", std::to_string(agents_per_page)}});
}

api_request add_group(const std::string& name) {
  return with_body(request("POST", "/groups"), {{"group_id", name}});
}

api_request remove_groups(const std::vector<std::string>& names) {
  return request("DELETE", "/groups", {{"groups_list", joined(names)}});
}

api_request node_status() { return request("GET", "/picket/node/status"); }

api_request drain_node(bool on) { return request(on ? "PUT" : "DELETE", "/picket/drain"); }

api_request list_letters(std::size_t offset) {
  return request("GET", "/picket/deadletter",
                 {{"offset", std::to_string(offset)}, {"limit", std::to_string(agents_per_page)}});
}

api_request show_letter(const std::string& id) {
  return request("GET", "/picket/deadletter/" + escape_url(id));
}

api_request retry_letters(const std::vector<std::string>& ids) {
  auto made = request("PUT", "/picket/deadletter/retry", {{"letters_list", joined(ids)}});
  made.timeout_s = letters_timeout_s;
  return made;
}

api_request drop_letters(const std::vector<std::string>& ids) {
  auto made = request("DELETE", "/picket/deadletter", {{"letters_list", joined(ids)}});
  made.timeout_s = letters_timeout_s;
  return made;
}

api_request list_faults() { return request("GET", "/picket/faults"); }

api_request set_fault(const std::string& name, const std::string& value) {
  auto path = "/picket/faults/" + escape_url(name);
  if (value == "off") return request("DELETE", path);
  return with_body(request("PUT", path), {{"value", value}});
}

std::string normal_id(const std::string& text) {
  bool digits =
      !text.empty() && text.size() <= 8
      && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!digits) return text;
  auto significant = text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
  return significant.size() < 3 ? std::string(3 - significant.size(), '0') + significant : significant;
}

} // namespace picket::ctl
