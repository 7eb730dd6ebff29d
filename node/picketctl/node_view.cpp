#include "node/picketctl/node_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <nlohmann/json.hpp>

#include "node/picketctl/text_table.hpp"
#include "node/picketctl/views.hpp"

namespace picket::ctl {

namespace {

constexpr const char* green = "\x1b[1;32m";
constexpr const char* yellow = "\x1b[1;33m";
constexpr const char* red = "\x1b[1;31m";
constexpr const char* plain = "\x1b[0m";

/// A number of a section; 0 if it is not there, as from an older node.
double figure(const json& data, const char* section, const char* name) {
  auto found = data.find(section);
  if (found == data.end() || !found->is_object()) return 0;
  auto value = found->find(name);
  return value != found->end() && value->is_number() ? value->get<double>() : 0;
}

double number_of(const json& object, const char* name) {
  auto value = object.is_object() ? object.find(name) : object.end();
  return value != object.end() && value->is_number() ? value->get<double>() : 0;
}

bool flag(const json& object, const char* name) {
  auto value = object.is_object() ? object.find(name) : object.end();
  return value != object.end() && value->is_boolean() && value->get<bool>();
}

std::vector<json> list_of(const json& data, const char* name) {
  auto found = data.find(name);
  if (found == data.end() || !found->is_array()) return {};
  return found->get<std::vector<json>>();
}

std::string number_text(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string plural(double count, const std::string& one) {
  return count_text(count) + " " + one + (count == 1 ? "" : "s");
}

/// The first lines: is it well, and what is to be done.
std::string verdict(const json& data, bool colours) {
  auto ready = data.value("ready", json::object());
  bool ingest = flag(ready, "ingest");
  bool control = flag(ready, "control");
  auto findings = list_of(data, "findings");
  const char* colour = !ingest || !control ? red : findings.empty() ? green : yellow;
  std::string head;
  if (ingest && control)
    head = findings.empty() ? "All is well: the node takes events and changes."
                            : "The node works, but look at this:";
  else if (!ingest)
    head = control ? "NOT READY: send this node no agents."
                   : "NOT READY: send this node no agents and no changes.";
  else
    head = "NOT READY for changes: enrollments and changes are refused; events are analysed.";
  std::string text = colours ? colour + head + plain : head;
  text += '\n';
  auto because = member_text(ready, "because");
  if (findings.empty() && !because.empty()) text += "  " + printable(because) + "\n";
  for (const auto& one : findings) {
    bool stops = flag(one, "stops_ingest") || flag(one, "stops_control");
    text += std::string{stops ? "  ! " : "  - "} + printable(member_text(one, "what")) + "\n";
    if (auto mend = member_text(one, "mend"); !mend.empty()) text += "    -> " + printable(mend) + "\n";
  }
  return text;
}

std::string node_line(const json& data) {
  auto text = member_text(data, "node") + ", version " + member_text(data, "version");
  if (auto cluster = member_text(data, "cluster"); !cluster.empty()) text += ", cluster " + cluster;
  if (data.contains("uptime_seconds")) text += ", up " + span_text(number_of(data, "uptime_seconds"));
  return text;
}

std::string ingest_line(const json& data) {
  auto of = [&](const char* name) { return figure(data, "ingest", name); };
  auto text = count_text(of("records_per_second")) + " records/s, " + bytes_text(of("bytes_per_second"))
              + "/s from " + plural(of("agents_connected"), "agent") + " on "
              + plural(of("connections"), "connection");
  for (auto [name, how] : {std::pair{"throttled_connections", "slowed down"},
                           std::pair{"paused_connections", "not read, for want of room"},
                           std::pair{"limited_connections", "held by their limit"}})
    if (of(name) > 0) text += "; " + count_text(of(name)) + " " + how;
  if (of("enrollments_last_minute") > 0)
    text += "; " + count_text(of("enrollments_last_minute")) + " enrolled in the last minute";
  return text;
}

std::string waiting_line(const json& data) {
  auto of = [&](const char* name) { return figure(data, "waiting", name); };
  auto oldest = of("oldest_seconds");
  std::string text = oldest > 0 ? "oldest " + span_text(oldest) : "nothing";
  auto segments = of("pool_segments");
  if (segments > 0)
    text += "; pool " + number_text("%.0f", std::ceil(of("pool_used_segments") * 100 / segments)) + " % of "
            + plural(segments, "segment");
  auto batches = of("overflow_batches");
  text += batches > 0 ? "; overflow " + count_text(batches) + " batches, " + bytes_text(of("overflow_bytes"))
                      : "; overflow empty";
  auto facts = data.value("facts", json::object());
  if (auto state = member_text(facts, "overflow"); !state.empty() && state != "accepting")
    text += " (" + state + ")";
  if (of("dead_letters") > 0) text += "; " + plural(of("dead_letters"), "dead letter");
  return text;
}

std::string analysis_line(const json& data) {
  auto of = [&](const char* name) { return figure(data, "analysis", name); };
  auto executors = number_of(data.value("counts", json::object()), "executors");
  return count_text(of("events_per_second")) + " events/s, " + count_text(of("alerts_per_second"))
         + " alerts/s; " + count_text(of("busy_executors")) + " of " + plural(executors, "executor")
         + " busy; " + number_text("%.2f", of("processor_cores")) + " cores, "
         + bytes_text(of("resident_bytes"));
}

std::string journal_line(const json& data) {
  auto of = [&](const char* name) { return figure(data, "journal", name); };
  auto text = bytes_text(of("bytes_per_second")) + "/s";
  auto facts = data.value("facts", json::object());
  if (auto file = member_text(facts, "journal_file"); !file.empty()) text += " into " + file;
  text += of("waiting_batches") > 0 ? "; " + count_text(of("waiting_batches")) + " batches wait"
                                    : "; nothing waits";
  if (of("failing_seconds") > 0) text += "; FAILING for " + span_text(of("failing_seconds"));
  return text;
}

std::string agents_line(const json& data) {
  std::string text;
  for (auto [name, state] :
       {std::pair{"active", "active"}, std::pair{"pending", "pending"},
        std::pair{"disconnected", "disconnected"}, std::pair{"never_connected", "never connected"}})
    text += (text.empty() ? "" : ", ") + count_text(figure(data, "agents", name)) + " " + state;
  return text;
}

std::string refused_line(const json& data) {
  auto minute = data.value("last_minute", json::object());
  auto seconds = number_of(minute, "seconds");
  auto text = "in the last " + span_text(seconds) + ": ";
  if (seconds <= 0) return "just started";
  std::string all;
  for (const auto& one : list_of(minute, "refused")) {
    all += (all.empty() ? "" : ", ") + count_text(number_of(one, "count")) + " " + member_text(one, "what");
    if (auto reason = member_text(one, "reason"); !reason.empty()) all += " (" + reason + ")";
  }
  return text + (all.empty() ? "nothing" : all);
}

} // namespace

std::string count_text(double value) {
  if (value > 0 && value < 9.95 && value != std::floor(value)) return number_text("%.1f", value);
  auto digits = number_text("%.0f", std::max(0.0, value));
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string bytes_text(double bytes) {
  const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1'024 && unit + 1 < std::size(units)) {
    bytes /= 1'024;
    ++unit;
  }
  return number_text(unit > 0 && bytes < 9.95 ? "%.1f" : "%.0f", bytes) + " " + units[unit];
}

std::string span_text(double seconds) {
  auto whole = static_cast<long long>(seconds);
  if (seconds > 0 && seconds < 9.95) return number_text("%.1f s", seconds);
  if (whole < 120) return std::to_string(whole) + " s";
  if (whole < 7'200) return std::to_string(whole / 60) + " min";
  if (whole < 172'800)
    return std::to_string(whole / 3'600) + " h " + std::to_string(whole % 3'600 / 60) + " min";
  return std::to_string(whole / 86'400) + " d " + std::to_string(whole % 86'400 / 3'600) + " h";
}

std::string node_status_text(const json& data, bool colours) {
  if (!data.is_object() || data.empty()) return {};
  auto text = verdict(data, colours) + "\n";
  std::vector<std::pair<std::string, std::string>> lines{{"node", node_line(data)}};
  if (data.contains("ingest")) {
    lines.insert(lines.end(), {{"ingest", ingest_line(data)},
                               {"waiting", waiting_line(data)},
                               {"analysis", analysis_line(data)},
                               {"journal", journal_line(data)}});
    for (const auto& disk : list_of(data, "disks")) {
      auto problem = member_text(disk, "problem");
      auto room = problem.empty() ? bytes_text(number_of(disk, "free_bytes")) + " free, "
                                        + bytes_text(number_of(disk, "least_bytes")) + " must be"
                                  : problem;
      lines.emplace_back("disk",
                         room + ": " + member_text(disk, "of") + ", " + member_text(disk, "directory"));
    }
    lines.emplace_back("agents", agents_line(data));
    lines.emplace_back("refused", refused_line(data));
  }
  text += render_pairs(lines);
  auto facts = data.value("facts", json::object());
  std::vector<std::pair<std::string, std::string>> rest;
  for (const char* name : {"agents_port", "enrollment_port", "registry", "ruleset"}) {
    std::string label = name;
    std::replace(label.begin(), label.end(), '_', ' ');
    rest.emplace_back(label, member_text(facts, name));
  }
  auto tail = render_pairs(rest);
  return tail.empty() ? text : text + "\n" + tail;
}

} // namespace picket::ctl
