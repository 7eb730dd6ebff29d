#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "protocol/enrollment/keys.hpp"

namespace picket::api {

namespace {

/// What one line of an imported file asks for, to tell people of a refusal by its line.
struct import_line {
  std::size_t line = 0;
  agent_id id = 0;
};

struct key_handlers {
  node_facade& node;

  /// The registry as a client.keys file (agent-protocol.md 1.11).
  http_response export_file() const {
    auto view = node.tables().read();
    if (!view) return problem(view.error());
    std::string text;
    view->each_agent(1, [&](agent_id id, const protocol::agent_row& row) {
      text += protocol::format_key_line(id, row.name, row.address, row.key) + "\n";
      return true;
    });
    view->each_removed([&](agent_id id, const protocol::removed_row& row) {
      text += protocol::format_key_line(id, row.name, "any", std::string(64, '0'), true) + "\n";
      return true;
    });
    return {200, "text/plain; charset=utf-8", std::move(text)};
  }

  http_response import_file(const http_request& request) const {
    auto file = protocol::parse_key_file(request.body);
    if (!file.faults.empty() && parameter(request, "skip_faults") != "true") {
      std::string detail;
      for (const auto& fault : file.faults) {
        detail += (detail.empty() ? "line " : "; line ") + std::to_string(fault.line) + ": " + fault.what;
        if (detail.size() > 2'000) break;
      }
      return problem(400, "Bad Request", detail, "Mend these lines, or give skip_faults=true to leave them out.", 1725);
    }
    std::vector<protocol::command_arguments> adds;
    std::vector<import_line> lines;
    std::vector<agent_id> removed;
    for (const auto& entry : file.entries) {
      protocol::agent_add add;
      add.id = entry.id;
      add.address = entry.address;
      add.key = entry.key;
      add.name = entry.name;
      add.state = protocol::confirmation::confirmed;
      add.repeat_window_s = 0;
      add.force.enabled = false;
      if (entry.removed) {
        // Takes the id and gives it up again, so that it is never given to another agent.
        if (known(entry.id)) continue;
        add.name = "removed-" + to_text(entry.id);
        add.address = "any";
        add.key = node.draw_key();
        removed.push_back(entry.id);
      }
      adds.push_back(std::move(add));
      lines.push_back({entry.line, entry.id});
    }
    return run(std::move(adds), lines, removed, file.faults.size(), request.remote);
  }

  bool known(agent_id id) const {
    auto view = node.tables().read();
    return view && (view->agent(id) || view->removed(id));
  }

  http_response run(std::vector<protocol::command_arguments> adds, const std::vector<import_line>& lines,
                    const std::vector<agent_id>& removed, std::size_t faults, const std::string& from) const {
    auto answers = node.propose_many(std::move(adds), "api", from);
    json imported = json::array();
    std::vector<failed_item> failed;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].how == registry::proposed::ok) {
        imported.push_back(to_text(lines[i].id));
        continue;
      }
      auto why = error_of(answers[i]);
      why.what = "line " + std::to_string(lines[i].line) + ": " + why.what;
      failed.push_back({to_text(lines[i].id), why});
    }
    std::vector<protocol::command_arguments> removals;
    for (auto id : removed) {
      protocol::agent_remove remove;
      remove.ids = {id};
      remove.why = "removed before the import";
      removals.push_back(remove);
    }
    node.propose_many(std::move(removals), "api", from);
    auto total = imported.size();
    auto left_out = faults > 0 ? " (" + std::to_string(faults) + " lines left out)" : std::string{};
    return envelope(std::move(imported), total, failed, "All agents of the file were imported" + left_out,
                    "Some agents were not imported" + left_out, "No agent was imported" + left_out);
  }
};

} // namespace

void add_agent_key_routes(router& table, node_facade& node) {
  key_handlers handlers{node};
  table.add({"GET", "/picket/keys", {}, [handlers](const http_request&, const path_parts&) {
               return handlers.export_file();
             }});
  table.add({"POST", "/picket/keys", {"skip_faults"}, [handlers](const http_request& request, const path_parts&) {
               return handlers.import_file(request);
             }});
}

} // namespace picket::api
