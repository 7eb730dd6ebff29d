#include <chrono>
#include <memory>
#include <ostream>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/node_view.hpp"
#include "node/picketctl/requests.hpp"

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
}

} // namespace picket::ctl
