#include <algorithm>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "base/time.hpp"

namespace picket::api {

namespace {

/// Which agents of a list may go (server-api.md 8.1, DELETE /agents).
struct removal_conditions {
  std::vector<std::string> states; ///< empty: all
  std::int64_t older_than_s = 0;   ///< 0: of any age

  /// An agent is as old as its last keep-alive, or as its registration if it was never there.
  bool allow(const protocol::agent_row& row, const std::optional<agent_status>& status,
             std::int64_t now_ms) const {
    auto state = state_name(status);
    if (!states.empty() && std::find(states.begin(), states.end(), state) == states.end()) return false;
    if (older_than_s == 0) return true;
    auto seen_ms = status ? status->connection.last_keepalive_ms : 0;
    if (seen_ms == 0) seen_ms = row.time_ms;
    return now_ms - seen_ms > older_than_s * 1'000;
  }
};

result<removal_conditions> conditions_of(const http_request& request) {
  removal_conditions conditions;
  auto states =
      choices_of(request, "status", {"all", "active", "pending", "never_connected", "disconnected"});
  if (!states) return tl::unexpected<error>(states.error());
  if (states->empty())
    return fail(errc::invalid_argument, "'status' is missing", {},
                "Give status=all, or the states to remove.");
  if (std::find(states->begin(), states->end(), "all") == states->end())
    conditions.states = std::move(*states);
  auto older_than = parameter(request, "older_than");
  auto span = parse_span("older_than", older_than.empty() ? "7d" : older_than);
  if (!span) return tl::unexpected<error>(span.error());
  conditions.older_than_s = *span;
  return conditions;
}

struct removal_handlers {
  node_facade& node;

  http_response remove(const http_request& request) const {
    auto listed = split_list(parameter(request, "agents_list"));
    if (listed.empty())
      return problem(
          error{errc::invalid_argument, "'agents_list' is missing", {}, "Name the ids, or 'all'."});
    auto conditions = conditions_of(request);
    if (!conditions) return problem(conditions.error());
    std::vector<std::string> eligible;
    std::vector<failed_item> failed;
    {
      auto view = node.tables().read();
      if (!view) return problem(view.error());
      if (listed == std::vector<std::string>{"all"})
        eligible = all_eligible(*view, *conditions);
      else
        choose(*view, *conditions, std::move(listed), eligible, failed);
    }
    return run(eligible, std::move(failed), request.remote);
  }

  std::vector<std::string> all_eligible(const store::registry_tables::snapshot& view,
                                        const removal_conditions& conditions) const {
    std::vector<std::string> ids;
    auto now_ms = wall_clock_ms();
    view.each_agent(1, [&](agent_id id, const protocol::agent_row& row) {
      if (conditions.allow(row, node.statuses().get(id), now_ms)) ids.push_back(to_text(id));
      return true;
    });
    return ids;
  }

  void choose(const store::registry_tables::snapshot& view, const removal_conditions& conditions,
              std::vector<std::string> listed, std::vector<std::string>& eligible,
              std::vector<failed_item>& failed) const {
    std::sort(listed.begin(), listed.end());
    listed.erase(std::unique(listed.begin(), listed.end()), listed.end());
    auto now_ms = wall_clock_ms();
    for (auto& text : listed) {
      auto id = agent_id_from(text);
      auto row = view.agent(id);
      if (text == "000")
        failed.push_back({text, {errc::agent_is_node, "Agent 000 is the node itself", {}, {}}});
      else if (!row)
        failed.push_back({text, {errc::agent_unknown, "Agent does not exist", {}, {}}});
      else if (!conditions.allow(*row, node.statuses().get(id), now_ms))
        failed.push_back({text, {errc::agent_not_eligible, "Agent is not eligible for the action", {}, {}}});
      else
        eligible.push_back(std::move(text));
    }
  }

  http_response run(const std::vector<std::string>& ids, std::vector<failed_item> failed,
                    const std::string& from) const {
    std::vector<protocol::command_arguments> commands;
    for (const auto& text : ids) {
      protocol::agent_remove remove;
      remove.ids = {agent_id_from(text)};
      remove.why = "removed by an operator";
      commands.emplace_back(std::move(remove));
    }
    auto answers = node.propose_many(std::move(commands), "api", from);
    json removed = json::array();
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].how == registry::proposed::ok)
        removed.push_back(ids[i]);
      else
        failed.push_back({ids[i], error_of(answers[i])});
    }
    auto total = removed.size();
    return envelope(std::move(removed), total, failed, "All selected agents were deleted",
                    "Some agents were not deleted", "No agents were deleted");
  }
};

} // namespace

void add_agent_removal_routes(router& table, node_facade& node) {
  removal_handlers handlers{node};
  // `purge` is understood and changes nothing: an id that was given never comes back.
  table.add(
      {"DELETE",
       "/agents",
       {"agents_list", "status", "older_than", "purge"},
       [handlers](const http_request& request, const path_parts&) { return handlers.remove(request); }});
}

} // namespace picket::api
