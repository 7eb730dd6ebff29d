#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/requests.hpp"
#include "node/picketctl/views.hpp"

namespace picket::ctl {

namespace {

bool ready(const json& data) {
  const auto both = data.value("ready", json::object());
  return both.value("ingest", json(false)) == json(true) && both.value("control", json(false)) == json(true);
}

exit_code status(session& with) {
  auto body = ask_json(with, node_status());
  if (!body) return body.error();
  const auto data = body->value("data", json::object());
  with.out << (with.options.json ? pretty(data) : node_status_text(data));
  return ready(data) ? exit_code::ok : exit_code::no;
}

} // namespace

void add_node_commands(command_table& table) {
  auto& group = table.add_group("node", "The node itself");
  table.add(group, "status",
            "Show whether the node is ready, and its figures; exit code 1 if it is not ready",
            [&table] { return status(table.with); });
}

} // namespace picket::ctl
