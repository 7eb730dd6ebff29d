#include <map>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "protocol/enrollment/address.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket::api {

namespace {

/// `{"enabled": true, "value": "1h"}` or a span: seconds, below 0 for "off". Errors: invalid_argument.
result<std::int64_t> span_member(const json& force, const std::string& name, std::int64_t fallback_s) {
  auto found = force.find(name);
  if (found == force.end()) return fallback_s;
  auto value = *found;
  if (value.is_object()) {
    auto enabled = value.value("enabled", json(true));
    if (!enabled.is_boolean())
      return fail(errc::invalid_argument, "'force." + name + ".enabled' must be true or false");
    if (!enabled.get<bool>()) return -1;
    value = value.value("value", json("1h"));
  }
  if (!value.is_string())
    return fail(errc::invalid_argument, "'force." + name + "' must be a span of time like 1h");
  return parse_span("force." + name, value.get<std::string>());
}

/// When an existing agent may be replaced (server-api.md 8.1); without `force` never: an operator asks for
/// this very agent. Errors: invalid_argument.
result<protocol::force_policy> force_of(const json& body) {
  protocol::force_policy policy;
  policy.enabled = false;
  auto found = body.find("force");
  if (found == body.end()) return policy;
  if (!found->is_object()) return fail(errc::invalid_argument, "'force' must be an object");
  auto enabled = found->value("enabled", json(true));
  if (!enabled.is_boolean()) return fail(errc::invalid_argument, "'force.enabled' must be true or false");
  policy.enabled = enabled.get<bool>();
  auto disconnected = span_member(*found, "disconnected_time", 3'600);
  if (!disconnected) return tl::unexpected<error>(disconnected.error());
  auto registration = span_member(*found, "after_registration_time", 3'600);
  if (!registration) return tl::unexpected<error>(registration.error());
  policy.disconnected_time_s = *disconnected;
  policy.after_registration_time_s = std::max<std::int64_t>(0, *registration);
  // The key is the request's own; there is none of the agent to compare with.
  policy.key_mismatch = false;
  return policy;
}

struct change_handlers {
  node_facade& node;

  /// The agent that a body describes. Errors: invalid_argument, address_invalid, agent_id_taken.
  result<protocol::agent_add> wanted_agent(const json& body, bool with_id) const {
    protocol::agent_add add;
    std::string id;
    std::map<std::string, std::string*> texts{{"name", &add.name}, {"ip", &add.address}};
    if (with_id) texts.insert({{"key", &add.key}, {"id", &id}});
    for (auto [member, into] : texts) {
      auto text = text_member(body, member);
      if (!text) return tl::unexpected<error>(text.error());
      *into = *text;
    }
    auto address = protocol::parse_agent_address(add.address.empty() ? "any" : add.address);
    if (!address)
      return fail(errc::address_invalid, "Invalid IP: " + add.address, {},
                  "Give an address, a range or 'any'.");
    add.address = protocol::to_text(*address);
    if (add.key.empty()) add.key = node.draw_key();
    add.repeat_window_s = 0;
    add.id = agent_id_from(id);
    if (!id.empty() && add.id == 0)
      return fail(errc::invalid_argument, "'" + id + "' is no id of an agent", {},
                  "Give one to eight digits, not 000.");
    auto force = with_id ? force_of(body) : force_of(json::object());
    if (!force) return tl::unexpected<error>(force.error());
    add.force = *force;
    auto groups = list_member(body, "groups");
    if (!groups) return tl::unexpected<error>(groups.error());
    add.groups = std::move(*groups);
    return add;
  }

  http_response add(const http_request& request, bool with_id) const {
    auto body = body_of(request);
    if (!body) return problem(body.error());
    auto wanted = wanted_agent(*body, with_id);
    if (!wanted) return problem(wanted.error());
    if (wanted->force.enabled) wanted->evidence = evidence_for(*wanted);
    auto answer = node.propose(std::move(*wanted), "api", request.remote);
    if (answer.how != registry::proposed::ok) return problem(error_of(answer));
    auto id = answer.result.agent;
    auto view = node.tables().read();
    auto row = view ? view->agent(id) : std::nullopt;
    return data_answer({{"id", to_text(id)}, {"key", row ? import_key(id, *row) : std::string{}}});
  }

  std::vector<protocol::agent_evidence> evidence_for(const protocol::agent_add& add) const {
    std::vector<protocol::agent_evidence> facts;
    auto view = node.tables().read();
    if (!view) return facts;
    for (auto id :
         {view->agent_by_name(add.name), view->agent_by_address(protocol::address_key(add.address))}) {
      auto row = id ? view->agent(*id) : std::nullopt;
      if (row) facts.push_back(node.evidence(*id, row->registration));
    }
    return facts;
  }

  http_response change_groups(const http_request& request, const std::string& text,
                              protocol::groups_change change, std::vector<std::string> groups) const {
    protocol::agent_groups command;
    command.id = agent_id_from(text);
    command.groups = std::move(groups);
    command.change = change;
    auto answer = node.propose(std::move(command), "api", request.remote);
    if (answer.how != registry::proposed::ok)
      return envelope(json::array(), 0, {{text, error_of(answer)}}, "", "", "The groups were not changed");
    return envelope(json::array({text}), 1, {}, "All selected agents were changed", "", "");
  }

  http_response set_group(const http_request& request, const path_parts& parts) const {
    auto single = choices_of(request, "force_single_group", {"true", "false"});
    if (!single) return problem(single.error());
    bool only = !single->empty() && single->front() == "true";
    return change_groups(request, parts[0],
                         only ? protocol::groups_change::set : protocol::groups_change::add, {parts[1]});
  }

  /// Ours: several groups in one change. Body {"change": "set", "groups": ["web", "linux"]}.
  http_response set_groups(const http_request& request, const path_parts& parts) const {
    auto body = body_of(request);
    if (!body) return problem(body.error());
    auto change = text_member(*body, "change");
    if (!change) return problem(change.error());
    auto groups = list_member(*body, "groups");
    if (!groups) return problem(groups.error());
    static const std::map<std::string, protocol::groups_change> kinds{
        {"set", protocol::groups_change::set},
        {"add", protocol::groups_change::add},
        {"remove", protocol::groups_change::remove}};
    auto kind = kinds.find(*change);
    if (kind == kinds.end())
      return problem(error{errc::invalid_argument, "'change' must be set, add or remove", {}, {}});
    return change_groups(request, parts[0], kind->second, std::move(*groups));
  }
};

} // namespace

void add_agent_change_routes(router& table, node_facade& node) {
  change_handlers handlers{node};
  table.add({"POST", "/agents", {}, [handlers](const http_request& request, const path_parts&) {
               return handlers.add(request, false);
             }});
  table.add({"POST", "/agents/insert", {}, [handlers](const http_request& request, const path_parts&) {
               return handlers.add(request, true);
             }});
  table.add({"PUT",
             "/agents/{id}/group/{group}",
             {"force_single_group"},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.set_group(request, parts);
             }});
  table.add({"DELETE",
             "/agents/{id}/group/{group}",
             {},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.change_groups(request, parts[0], protocol::groups_change::remove, {parts[1]});
             }});
  table.add({"PUT",
             "/picket/agents/{id}/groups",
             {},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.set_groups(request, parts);
             }});
}

} // namespace picket::api
