#include <algorithm>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"

namespace picket::api {

namespace {

constexpr std::size_t members_at_once = 90;

struct group_handlers {
  node_facade& node;

  http_response list(const http_request& request) const {
    auto page = page_of(request);
    if (!page) return problem(page.error());
    auto wanted = split_list(parameter(request, "groups_list"));
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    std::vector<failed_item> failed;
    auto names = wanted.empty() ? view->groups() : wanted;
    json items = json::array();
    std::size_t total = 0;
    for (const auto& name : names) {
      if (!view->group(name)) {
        failed.push_back({name, {errc::group_unknown, "The group does not exist", {}, {}}});
        continue;
      }
      if (total >= page->offset && items.size() < page->limit)
        items.push_back({{"name", name}, {"count", view->members(name, 1'000'000).size()}});
      ++total;
    }
    return envelope(std::move(items), total, failed, "All selected groups information was returned",
                    "Some groups information was not returned", "No group information was returned");
  }

  http_response add(const http_request& request) const {
    auto body = body_of(request);
    if (!body) return problem(body.error());
    auto name = text_member(*body, "group_id");
    if (!name) return problem(name.error());
    // The word that stands for every group in lists.
    if (*name == "all") return problem(error{errc::group_name_invalid, "the name 'all' is reserved", {}, {}});
    auto answer = node.propose(protocol::group_put{*name}, "api", request.remote);
    if (answer.how != registry::proposed::ok) return problem(error_of(answer));
    return message_answer("Group '" + *name + "' created.");
  }

  /// A group with many agents is emptied in steps, so that no single change is large.
  registry::propose_answer remove_one(const std::string& name, const std::string& from) const {
    while (true) {
      auto answer = node.propose(protocol::group_remove{name}, "api", from);
      if (answer.how != registry::proposed::refused
          || answer.result.code != static_cast<std::uint16_t>(errc::group_not_empty))
        return answer;
      std::vector<agent_id> members;
      {
        auto view = node.tables().read();
        if (view) members = view->members(name, members_at_once);
      }
      if (members.empty()) return answer;
      std::vector<protocol::command_arguments> changes;
      for (auto id : members) {
        protocol::agent_groups change;
        change.id = id;
        change.change = protocol::groups_change::remove;
        change.groups = {name};
        changes.emplace_back(std::move(change));
      }
      for (const auto& step : node.propose_many(std::move(changes), "api", from)) {
        bool gone = step.how == registry::proposed::refused;
        if (step.how != registry::proposed::ok && !gone) return step;
      }
    }
  }

  /// The names of the request; "all" are those that can go.
  result<std::vector<std::string>> names_to_remove(const http_request& request) const {
    auto names = split_list(parameter(request, "groups_list"));
    if (names.empty())
      return fail(errc::invalid_argument, "'groups_list' is missing", {}, "Name the groups, or 'all'.");
    if (names != std::vector<std::string>{"all"}) return names;
    auto view = node.tables().read();
    if (!view) return tl::unexpected<error>(view.error());
    names = view->groups();
    names.erase(std::remove(names.begin(), names.end(), "default"), names.end());
    return names;
  }

  http_response remove(const http_request& request) const {
    auto names = names_to_remove(request);
    if (!names) return problem(names.error());
    json removed = json::array();
    std::vector<failed_item> failed;
    for (const auto& name : *names) {
      auto answer = remove_one(name, request.remote);
      if (answer.how == registry::proposed::ok)
        removed.push_back(name);
      else
        failed.push_back({name, error_of(answer)});
    }
    auto total = removed.size();
    return envelope(std::move(removed), total, failed, "All selected groups were deleted",
                    "Some groups were not deleted", "No groups were deleted");
  }

  http_response members(const http_request& request, const std::string& name) const {
    auto page = page_of(request);
    if (!page) return problem(page.error());
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    if (!view->group(name))
      return problem(error{errc::group_unknown, "The group does not exist: " + name, {}, {}});
    auto ids = view->members(name, 1'000'000);
    auto node_name = node.name();
    json items = json::array();
    for (std::size_t i = page->offset; i < ids.size() && items.size() < page->limit; ++i)
      if (auto row = view->agent(ids[i]))
        items.push_back(
            agent_object(ids[i], *row, node.statuses().get(ids[i]), node.contact(ids[i]), node_name));
    return envelope(std::move(items), ids.size(), {}, "All selected agents information was returned", "", "");
  }
};

} // namespace

void add_group_routes(router& table, node_facade& node) {
  group_handlers handlers{node};
  table.add({"GET",
             "/groups",
             {"groups_list", "offset", "limit"},
             [handlers](const http_request& request, const path_parts&) { return handlers.list(request); }});
  table.add({"POST", "/groups", {}, [handlers](const http_request& request, const path_parts&) {
               return handlers.add(request);
             }});
  table.add(
      {"DELETE", "/groups", {"groups_list"}, [handlers](const http_request& request, const path_parts&) {
         return handlers.remove(request);
       }});
  table.add({"GET",
             "/groups/{group}/agents",
             {"offset", "limit"},
             [handlers](const http_request& request, const path_parts& parts) {
               return handlers.members(request, parts[0]);
             }});
}

} // namespace picket::api
