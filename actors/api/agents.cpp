#include <algorithm>
#include <cctype>

#include <boost/regex.hpp>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket::api {

namespace {

constexpr std::size_t max_expression_bytes = 256;

/// What a listing is asked to leave out.
struct agent_filter {
  std::vector<std::string> ids;
  std::vector<std::string> states;
  std::string name;
  std::string group;
  std::string search;
  std::optional<boost::regex> match;

  bool takes(agent_id id, const protocol::agent_row& row, const std::string& state) const {
    auto has = [](const auto& list, const std::string& word) {
      return std::find(list.begin(), list.end(), word) != list.end();
    };
    if (!ids.empty() && !has(ids, to_text(id))) return false;
    if (!states.empty() && !has(states, state)) return false;
    if (!name.empty() && row.name != name) return false;
    if (!group.empty() && !has(row.groups, group)) return false;
    if (!search.empty() && row.name.find(search) == std::string::npos && row.address.find(search) == std::string::npos
        && to_text(id).find(search) == std::string::npos)
      return false;
    return !match || boost::regex_search(row.name, *match);
  }
};

result<agent_filter> filter_of(const http_request& request) {
  agent_filter filter;
  filter.ids = split_list(parameter(request, "agents_list"));
  filter.states = split_list(parameter(request, "status"));
  for (auto& state : filter.states)
    std::transform(state.begin(), state.end(), state.begin(), [](unsigned char c) { return std::tolower(c); });
  filter.name = parameter(request, "name");
  filter.group = parameter(request, "group");
  filter.search = parameter(request, "search");
  auto expression = parameter(request, "match");
  if (expression.empty()) return filter;
  if (expression.size() > max_expression_bytes)
    return fail(errc::invalid_argument, "'match' is longer than 256 bytes");
  try {
    filter.match.emplace(expression, boost::regex::perl);
  } catch (const boost::regex_error& ex) {
    return fail(errc::invalid_argument, std::string{"'match' is no regular expression: "} + ex.what());
  }
  return filter;
}

struct agent_handlers {
  node_facade& node;

  http_response list(const http_request& request) const {
    auto filter = filter_of(request);
    if (!filter) return problem(filter.error());
    auto page = page_of(request);
    if (!page) return problem(page.error());
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    auto node_name = node.figures().node;
    json items = json::array();
    std::size_t total = 0;
    std::optional<error> broken;
    view->each_agent(1, [&](agent_id id, const protocol::agent_row& row) {
      auto status = node.statuses().get(id);
      auto state = std::string{protocol::name_of(status ? status->connection.state : protocol::agent_state::never_connected)};
      try {
        if (!filter->takes(id, row, state)) return true;
      } catch (const std::exception& ex) {
        // Boost.Regex gives up on an expression that takes too many steps.
        broken = error{errc::invalid_argument, std::string{"'match' is too complex: "} + ex.what(), {}, {}};
        return false;
      }
      if (total >= page->offset && items.size() < page->limit)
        items.push_back(agent_object(id, row, status, node_name));
      ++total;
      return true;
    });
    if (broken) return problem(*broken);
    std::vector<failed_item> failed;
    for (const auto& id : filter->ids)
      if (!view->agent(agent_id_from(id))) failed.push_back({id, {errc::agent_unknown, "Agent does not exist", {}, {}}});
    return envelope(std::move(items), total, failed, "All selected agents information was returned",
                    "Some agents information was not returned", "No agent information was returned");
  }

  http_response add(const http_request& request, bool with_id) const {
    auto body = body_of(request);
    if (!body) return problem(body.error());
    protocol::agent_add add;
    for (auto [member, into] : {std::pair<const char*, std::string*>{"name", &add.name},
                                std::pair<const char*, std::string*>{"ip", &add.address},
                                std::pair<const char*, std::string*>{"key", &add.key}}) {
      auto text = text_member(*body, member);
      if (!text) return problem(text.error());
      *into = *text;
    }
    if (add.address.empty()) add.address = "any";
    if (add.key.empty()) add.key = node.draw_key();
    add.repeat_window_s = 0;
    // An operator asks for this very agent; an existing one is replaced only where the request says so.
    add.force.enabled = with_id && body->contains("force") && (*body)["force"].is_object()
                        && (*body)["force"].value("enabled", true);
    add.force.disconnected_time_s = 0;
    add.force.after_registration_time_s = 0;
    if (with_id) {
      auto id = text_member(*body, "id");
      if (!id) return problem(id.error());
      add.id = agent_id_from(*id);
      if (!id->empty() && add.id == 0) return problem(error{errc::agent_id_taken, "'" + *id + "' is no id of an agent", {}, {}});
    }
    if (body->contains("groups") && (*body)["groups"].is_array())
      for (const auto& group : (*body)["groups"])
        if (group.is_string()) add.groups.push_back(group.get<std::string>());
    if (add.force.enabled) add.evidence = evidence_for(add);
    auto answer = node.propose(add, "api", request.remote);
    if (answer.how != registry::proposed::ok) return problem(error_of(answer));
    return data_answer({{"id", to_text(answer.result.agent)}, {"key", enrolled_key(answer.result.agent)}});
  }

  std::vector<protocol::agent_evidence> evidence_for(const protocol::agent_add& add) const {
    std::vector<protocol::agent_evidence> facts;
    auto view = node.tables().read();
    if (!view) return facts;
    for (auto id : {view->agent_by_name(add.name), view->agent_by_address(protocol::address_key(add.address))}) {
      auto row = id ? view->agent(*id) : std::nullopt;
      if (row) facts.push_back(node.evidence(*id, row->registration));
    }
    return facts;
  }

  /// What an agent imports: base64 of "id name ip key".
  std::string enrolled_key(agent_id id) const;

  http_response remove(const http_request& request) const {
    auto ids = split_list(parameter(request, "agents_list"));
    if (ids.empty()) return problem(error{errc::invalid_argument, "'agents_list' is missing", {}, "Name the ids."});
    json removed = json::array();
    std::vector<failed_item> failed;
    for (const auto& text : ids) {
      protocol::agent_remove remove;
      remove.ids = {agent_id_from(text)};
      remove.why = "removed by an operator";
      auto answer = node.propose(remove, "api", request.remote);
      if (answer.how == registry::proposed::ok)
        removed.push_back(text);
      else
        failed.push_back({text, error_of(answer)});
    }
    auto total = removed.size();
    return envelope(std::move(removed), total, failed, "All selected agents were deleted",
                    "Some agents were not deleted", "No agents were deleted");
  }

  http_response key(const std::string& text) const {
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    auto id = agent_id_from(text);
    if (!view->agent(id))
      return envelope(json::array(), 0, {{text, {errc::agent_unknown, "Agent does not exist", {}, {}}}}, "", "",
                      "No agent key was returned");
    json item{{"id", to_text(id)}, {"key", enrolled_key(id)}};
    return envelope(json::array({item}), 1, {}, "The agent's key was returned", "", "");
  }

  http_response set_group(const http_request& request, const path_parts& parts, protocol::groups_change change) const {
    protocol::agent_groups command;
    command.id = agent_id_from(parts[0]);
    command.groups = {parts[1]};
    command.change = change;
    if (parameter(request, "force_single_group") == "true") command.change = protocol::groups_change::set;
    auto answer = node.propose(command, "api", request.remote);
    if (answer.how != registry::proposed::ok)
      return envelope(json::array(), 0, {{parts[0], error_of(answer)}}, "", "", "The group was not changed");
    return envelope(json::array({parts[0]}), 1, {}, "All selected agents were changed", "", "");
  }
};

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

std::string agent_handlers::enrolled_key(agent_id id) const {
  auto view = node.tables().read();
  auto row = view ? view->agent(id) : std::nullopt;
  if (!row) return {};
  return base64(to_text(id) + " " + row->name + " " + row->address + " " + row->key);
}

} // namespace

void add_agent_routes(router& table, node_facade& node) {
  agent_handlers handlers{node};
  table.add({"GET", "/agents",
             {"agents_list", "status", "name", "group", "search", "match", "offset", "limit"},
             [handlers](const http_request& request, const path_parts&) { return handlers.list(request); }});
  table.add({"POST", "/agents", {}, [handlers](const http_request& request, const path_parts&) {
               return handlers.add(request, false);
             }});
  table.add({"POST", "/agents/insert", {}, [handlers](const http_request& request, const path_parts&) {
               return handlers.add(request, true);
             }});
  table.add({"DELETE", "/agents", {"agents_list", "status", "older_than", "purge"},
             [handlers](const http_request& request, const path_parts&) { return handlers.remove(request); }});
  table.add({"GET", "/agents/{id}/key", {}, [handlers](const http_request&, const path_parts& parts) {
               return handlers.key(parts[0]);
             }});
  table.add({"PUT", "/agents/{id}/group/{group}", {"force_single_group"},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.set_group(request, parts, protocol::groups_change::add);
             }});
  table.add({"DELETE", "/agents/{id}/group/{group}", {},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.set_group(request, parts, protocol::groups_change::remove);
             }});
}

} // namespace picket::api
