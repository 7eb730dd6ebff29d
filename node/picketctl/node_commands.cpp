#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/node_view.hpp"
#include "node/picketctl/requests.hpp"
#include "node/picketctl/target.hpp"
#include "node/picketctl/text_table.hpp"
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
  with.out << (with.options.json ? pretty(data) : node_status_text(data, with.colours));
  return ready(data) ? exit_code::ok : exit_code::no;
}

bool wait(session& with, int seconds) {
  if (with.wait) return with.wait(seconds);
  std::this_thread::sleep_for(std::chrono::seconds{seconds});
  return true;
}

/// A screen again and again, until somebody ends it. A node that does not answer may come back.
exit_code watch(session& with, int seconds) {
  constexpr const char* clear_screen = "\x1b[H\x1b[2J";
  exit_code code = exit_code::ok;
  do {
    if (with.colours) with.out << clear_screen;
    code = status(with);
    if (!with.colours && !with.options.json) with.out << "\n";
    with.out.flush();
  } while (with.out && wait(with, seconds));
  return code;
}

exit_code drain(session& with, bool on) {
  auto body = ask_json(with, drain_node(on));
  if (!body) return body.error();
  const auto data = body->value("data", json::object());
  if (with.options.json) {
    with.out << pretty(data);
    return exit_code::ok;
  }
  auto node = printable(member_text(data, "node"));
  with.out << "node " << node
           << (on ? " is draining: it tells balancers to send no new agents; those that are here stay\n"
                  : " is not draining\n");
  return exit_code::ok;
}

/// A normal node has no such page, which is another thing than a fault that it does not know.
exit_code fault(session& with, const std::string& name, const std::string& value) {
  auto target = find_target(with);
  if (!target) return complain(with, target.error());
  auto answer = send_request(*target, name.empty() ? list_faults() : set_fault(name, value));
  if (!answer) return complain(with, answer.error());
  auto why = problem_of(*answer);
  if (why && answer->status == 404 && why->what.rfind("404", 0) == 0)
    why = error{errc::fault_unknown, "this node is no build for tests; it has no faults", {}, {}};
  if (why) {
    complain(with, *why);
    return exit_code::refused;
  }
  const auto body = json::parse(answer->body, nullptr, false);
  const auto faults =
      body.is_object() ? body.value("/data/faults"_json_pointer, json::array()) : json::array();
  if (with.options.json) {
    with.out << pretty(faults);
    return exit_code::ok;
  }
  text_table table{{"FAULT", "VALUE"}};
  for (const auto& one : faults)
    table.add({member_text(one, "name"), member_text(one, "value")});
  with.out << table.render();
  return exit_code::ok;
}

} // namespace

void add_node_commands(command_table& table) {
  auto& group = table.add_group("node", "The node itself");
  struct watching {
    bool on = false;
    int seconds = 2;
  };
  auto given = std::make_shared<watching>();
  auto& showing = table.add(
      group, "status",
      "Show whether the node is well, what to do if not, and its figures; exit code 1 if it is not ready",
      [&table, given] { return given->on ? watch(table.with, given->seconds) : status(table.with); });
  showing.add_flag("--watch", given->on, "Show it again and again, until interrupted");
  showing.add_option("--every", given->seconds, "Seconds between two screens of --watch")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
  table.add(group, "drain",
            "Take no new agents: not ready for events, HAProxy's agent-check is told 'drain'; until undrain "
            "or a restart",
            [&table] { return drain(table.with, true); });
  table.add(group, "undrain", "Take new agents again", [&table] { return drain(table.with, false); });
  auto name = std::make_shared<std::string>();
  auto value = std::make_shared<std::string>("1");
  auto& faulty = table.add(group, "fault", "Show, set or end the faults of a node that was built for tests",
                           [&table, name, value] { return fault(table.with, *name, *value); });
  faulty.add_option("NAME", *name, "Name of a fault; without it all are shown");
  faulty.add_option("VALUE", *value, "What to set it to, 'off' to end it")->capture_default_str();
}

} // namespace picket::ctl
