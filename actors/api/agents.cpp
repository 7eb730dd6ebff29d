#include <algorithm>

#include <boost/regex.hpp>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "base/time.hpp"

namespace picket::api {

namespace {

constexpr std::size_t max_expression_bytes = 256;
/// All matching of one listing together; the library bounds a single match by its steps.
constexpr std::int64_t match_limit_ms = 2'000;

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
    if (!search.empty() && row.name.find(search) == std::string::npos
        && row.address.find(search) == std::string::npos && to_text(id).find(search) == std::string::npos)
      return false;
    return !match || boost::regex_search(row.name, *match);
  }
};

result<agent_filter> filter_of(const http_request& request) {
  agent_filter filter;
  filter.ids = split_list(parameter(request, "agents_list"));
  for (auto& id : filter.ids)
    if (auto number = agent_id_from(id); number != 0) id = to_text(number);
  auto states = choices_of(request, "status", {"active", "pending", "never_connected", "disconnected"});
  if (!states) return tl::unexpected<error>(states.error());
  filter.states = std::move(*states);
  filter.name = parameter(request, "name");
  filter.group = parameter(request, "group");
  filter.search = parameter(request, "search");
  auto expression = parameter(request, "match");
  if (expression.empty()) return filter;
  if (expression.size() > max_expression_bytes)
    return fail(errc::invalid_argument, "'match' is longer than 256 bytes");
  try {
    filter.match.emplace(expression, boost::regex::perl);
  } catch (const std::exception& ex) {
    return fail(errc::invalid_argument, std::string{"'match' is no regular expression: "} + ex.what());
  }
  return filter;
}

error too_complex(const char* why) {
  return {errc::invalid_argument,
          std::string{"'match' is too complex: "} + why,
          {},
          "Give a simpler expression."};
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
    auto node_name = node.name();
    json items = json::array();
    std::size_t total = 0;
    std::optional<error> broken;
    auto deadline_ms = steady_clock_ms() + match_limit_ms;
    view->each_agent(1, [&](agent_id id, const protocol::agent_row& row) {
      auto status = node.statuses().get(id);
      try {
        if (!filter->takes(id, row, state_name(status))) {
          if (filter->match && steady_clock_ms() > deadline_ms) broken = too_complex("it takes too long");
          return !broken;
        }
      } catch (const std::exception& ex) {
        // Boost.Regex gives up on an expression that takes too many steps.
        broken = too_complex(ex.what());
        return false;
      }
      if (total >= page->offset && items.size() < page->limit)
        items.push_back(agent_object(id, row, status, node.contact(id), node_name));
      ++total;
      return true;
    });
    if (broken) return problem(*broken);
    std::vector<failed_item> failed;
    for (const auto& id : filter->ids)
      if (!view->agent(agent_id_from(id)))
        failed.push_back({id, {errc::agent_unknown, "Agent does not exist", {}, {}}});
    return envelope(std::move(items), total, failed, "All selected agents information was returned",
                    "Some agents information was not returned", "No agent information was returned");
  }

  http_response key(const std::string& text) const {
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    auto id = agent_id_from(text);
    auto row = view->agent(id);
    if (!row)
      return envelope(json::array(), 0, {{text, {errc::agent_unknown, "Agent does not exist", {}, {}}}}, "",
                      "", "No agent key was returned");
    json item{{"id", to_text(id)}, {"key", import_key(id, *row)}};
    return envelope(json::array({item}), 1, {}, "The agent's key was returned", "", "");
  }
};

} // namespace

void add_agent_routes(router& table, node_facade& node) {
  agent_handlers handlers{node};
  table.add({"GET",
             "/agents",
             {"agents_list", "status", "name", "group", "search", "match", "offset", "limit"},
             [handlers](const http_request& request, const path_parts&) { return handlers.list(request); }});
  table.add({"GET", "/agents/{id}/key", {}, [handlers](const http_request&, const path_parts& parts) {
               return handlers.key(parts[0]);
             }});
}

} // namespace picket::api
