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
  bool removed = false; ///< the line keeps the id of an agent that is gone
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
    auto choice = choices_of(request, "skip_faults", {"true", "false"});
    if (!choice) return problem(choice.error());
    bool skip = !choice->empty() && choice->front() == "true";
    auto file = protocol::parse_key_file(request.body);
    if (!file.faults.empty() && !skip) {
      std::string detail;
      for (const auto& fault : file.faults) {
        detail += (detail.empty() ? "line " : "; line ") + std::to_string(fault.line) + ": " + fault.what;
        if (detail.size() > 2'000) break;
      }
      return problem(400, "Bad Request", detail,
                     "Mend these lines, or give skip_faults=true to leave them out.", 1725);
    }
    std::vector<protocol::command_arguments> adds;
    std::vector<import_line> lines;
    json imported = json::array();
    {
      // Gone before anything is proposed: the store cannot grow for the commits while somebody reads.
      auto view = node.tables().read();
      if (!view) return problem(view.error());
      for (const auto& entry : file.entries) {
        if (already_so(*view, entry)) {
          imported.push_back(to_text(entry.id));
          continue;
        }
        adds.emplace_back(command_of(entry));
        lines.push_back({entry.line, entry.id, entry.removed});
      }
    }
    return run(std::move(adds), lines, std::move(imported), file.faults.size(), request.remote);
  }

  /// The file can be imported again: what is there already is no mistake.
  static bool already_so(const store::registry_tables::snapshot& view,
                         const protocol::key_file_entry& entry) {
    if (entry.removed) return view.removed(entry.id).has_value();
    auto row = view.agent(entry.id);
    return row && row->name == entry.name && row->address == entry.address && row->key == entry.key;
  }

  protocol::agent_add command_of(const protocol::key_file_entry& entry) const {
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
      add.name = "removed-" + to_text(entry.id);
      add.address = "any";
      add.key = node.draw_key();
    }
    return add;
  }

  http_response run(std::vector<protocol::command_arguments> adds, const std::vector<import_line>& lines,
                    json imported, std::size_t faults, const std::string& from) const {
    auto answers = node.propose_many(std::move(adds), "api", from);
    std::vector<failed_item> failed;
    std::vector<import_line> to_remove;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].how != registry::proposed::ok)
        failed.push_back(failure(lines[i], answers[i]));
      else if (lines[i].removed)
        to_remove.push_back(lines[i]);
      else
        imported.push_back(to_text(lines[i].id));
    }
    remove_again(to_remove, from, imported, failed);
    auto total = imported.size();
    auto left_out = faults > 0 ? " (" + std::to_string(faults) + " lines left out)" : std::string{};
    return envelope(std::move(imported), total, failed, "All agents of the file were imported" + left_out,
                    "Some agents were not imported" + left_out, "No agent was imported" + left_out);
  }

  /// Only what this import added: an id that was taken meanwhile belongs to somebody.
  void remove_again(const std::vector<import_line>& lines, const std::string& from, json& imported,
                    std::vector<failed_item>& failed) const {
    std::vector<protocol::command_arguments> removals;
    for (const auto& line : lines) {
      protocol::agent_remove remove;
      remove.ids = {line.id};
      remove.why = "removed before the import";
      removals.emplace_back(std::move(remove));
    }
    auto answers = node.propose_many(std::move(removals), "api", from);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].how == registry::proposed::ok)
        imported.push_back(to_text(lines[i].id));
      else
        failed.push_back(failure(lines[i], answers[i]));
    }
  }

  static failed_item failure(const import_line& line, const registry::propose_answer& answer) {
    auto why = error_of(answer);
    why.what = "line " + std::to_string(line.line) + ": " + why.what;
    return {to_text(line.id), why};
  }
};

} // namespace

void add_agent_key_routes(router& table, node_facade& node) {
  key_handlers handlers{node};
  table.add({"GET", "/picket/keys", {}, [handlers](const http_request&, const path_parts&) {
               return handlers.export_file();
             }});
  table.add(
      {"POST", "/picket/keys", {"skip_faults"}, [handlers](const http_request& request, const path_parts&) {
         return handlers.import_file(request);
       }});
}

} // namespace picket::api
