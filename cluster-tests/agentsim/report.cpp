#include "cluster-tests/agentsim/simulator.hpp"

#include "cluster-tests/agentsim/sim_connection.hpp"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace picket::agentsim {

sim_report simulator::report() const {
  sim_report now;
  now.agents = connections_.size();
  now.enrolled = enrolled_;
  now.bytes = bytes_;
  now.timed_out = timed_out_;
  now.seconds = first_event_ms_ == 0 ? 0 : static_cast<double>(last_event_ms_ - first_event_ms_) / 1'000;
  now.cpu_seconds = cpu_at_end_ - cpu_at_start_;
  for (const auto& one : connections_) {
    const auto& counts = one->agent.counts();
    if (counts.connects > 0) ++now.connected;
    now.sent += one->sent;
    auto waiting = one->fd ? unacknowledged_bytes(one->fd.get()) : 0;
    auto acknowledged = one->flushed_bytes > waiting ? one->flushed_bytes - waiting : 0;
    now.accepted += one->accepted;
    now.accepted += static_cast<std::uint64_t>(std::count_if(
        one->flushed_ends.begin(), one->flushed_ends.end(), [&](auto end) { return end <= acknowledged; }));
    // With a duration the lines that were not reached were not asked for.
    if (options_.duration_ms == 0 && one->sent < lines_wanted_) now.unsent += lines_wanted_ - one->sent;
    now.totals.events += counts.events;
    now.totals.keepalives += counts.keepalives;
    now.totals.acks += counts.acks;
    now.totals.startups += counts.startups;
    now.totals.connects += counts.connects;
    now.totals.refusals += counts.refusals;
    now.totals.lost_connections += counts.lost_connections;
    now.totals.bad_records += counts.bad_records;
    const auto& refusal = one->agent.last_refusal();
    if (!refusal.empty()
        && std::find(now.refusals.begin(), now.refusals.end(), refusal) == now.refusals.end())
      now.refusals.push_back(refusal);
  }
  return now;
}

std::string to_string(const sim_report& report) {
  char text[1'024];
  auto rate = report.seconds > 0 ? static_cast<double>(report.sent) / report.seconds : 0;
  auto cost = report.sent > 0 ? report.cpu_seconds * 1e6 / static_cast<double>(report.sent) : 0;
  std::snprintf(
      text, sizeof text,
      "agents %llu (enrolled now %llu, connected %llu)\n"
      "events sent %llu, accepted %llu, unsent %llu in %.1f s: %.0f a second, %llu bytes\n"
      "keep-alives %llu, acks %llu, start-ups %llu, refused %llu, connections lost %llu, bad records %llu\n"
      "own CPU %.2f s, %.1f us an event",
      static_cast<unsigned long long>(report.agents), static_cast<unsigned long long>(report.enrolled),
      static_cast<unsigned long long>(report.connected), static_cast<unsigned long long>(report.sent),
      static_cast<unsigned long long>(report.accepted), static_cast<unsigned long long>(report.unsent),
      report.seconds, rate, static_cast<unsigned long long>(report.bytes),
      static_cast<unsigned long long>(report.totals.keepalives),
      static_cast<unsigned long long>(report.totals.acks),
      static_cast<unsigned long long>(report.totals.startups),
      static_cast<unsigned long long>(report.totals.refusals),
      static_cast<unsigned long long>(report.totals.lost_connections),
      static_cast<unsigned long long>(report.totals.bad_records), report.cpu_seconds, cost);
  std::string all = text;
  for (const auto& refusal : report.refusals)
    all += "\nrefused: " + refusal;
  if (report.timed_out) all += "\nthe time limit of the run was reached";
  return all;
}

std::string to_json(const sim_report& report, const verdict* verified) {
  nlohmann::ordered_json json;
  json["agents"] = report.agents;
  json["enrolled"] = report.enrolled;
  json["connected"] = report.connected;
  json["sent"] = report.sent;
  json["accepted"] = report.accepted;
  json["unsent"] = report.unsent;
  json["bytes"] = report.bytes;
  json["keepalives"] = report.totals.keepalives;
  json["acks"] = report.totals.acks;
  json["startups"] = report.totals.startups;
  json["refusals"] = report.totals.refusals;
  json["lost_connections"] = report.totals.lost_connections;
  json["bad_records"] = report.totals.bad_records;
  json["seconds"] = report.seconds;
  json["cpu_seconds"] = report.cpu_seconds;
  json["refused"] = report.refusals;
  json["timed_out"] = report.timed_out;
  if (verified != nullptr) {
    auto& part = json["verify"];
    part["expected"] = verified->expected;
    part["found"] = verified->found;
    part["lost"] = verified->lost;
    part["doubled_number"] = verified->doubled_number;
    part["doubled_id"] = verified->doubled_id;
    part["out_of_order"] = verified->out_of_order;
    part["unreadable"] = verified->unreadable;
    part["examples"] = verified->examples;
  }
  return json.dump();
}

} // namespace picket::agentsim
