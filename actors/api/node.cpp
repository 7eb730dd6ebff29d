#include <algorithm>
#include <cmath>
#include <utility>

#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "base/time.hpp"

namespace picket::api {

namespace {

/// Whole numbers as such, others with a decimal or three.
json number(double value) {
  auto whole = static_cast<std::int64_t>(value);
  if (static_cast<double>(whole) == value) return whole;
  return std::round(value * 1000) / 1000;
}

void add_health(json& body, const node_figures& figures) {
  auto& findings = body["findings"] = json::array();
  for (const auto& one : figures.findings)
    findings.push_back({{"what", one.what},
                        {"mend", one.mend},
                        {"stops_ingest", one.stops_ingest},
                        {"stops_control", one.stops_control}});
  for (const auto& section : figures.sections) {
    auto& values = body[section.name] = json::object();
    for (const auto& [name, value] : section.values)
      values[name] = number(value);
  }
  auto& disks = body["disks"] = json::array();
  for (const auto& disk : figures.disks) {
    json one{{"of", disk.of},
             {"directory", disk.directory},
             {"free_bytes", disk.free_bytes},
             {"least_bytes", disk.least_bytes}};
    if (!disk.problem.empty()) one["problem"] = disk.problem;
    disks.push_back(std::move(one));
  }
  auto& refused = body["last_minute"] = {{"seconds", (figures.minute_ms + 500) / 1000}};
  auto& refusals = refused["refused"] = json::array();
  for (const auto& one : figures.refusals) {
    json entry{{"what", one.what}, {"count", one.count}};
    if (!one.reason.empty()) entry["reason"] = one.reason;
    refusals.push_back(std::move(entry));
  }
}

json figures_json(const node_figures& figures) {
  json facts = json::object();
  for (const auto& [name, value] : figures.facts)
    facts[name] = value;
  json counts = json::object();
  for (const auto& [name, value] : figures.counts)
    counts[name] = value;
  json body{{"node", figures.node},
            {"version", figures.version},
            {"cluster", figures.cluster},
            {"started", iso_time(figures.started_ms)},
            {"uptime_seconds", std::max<std::int64_t>(0, wall_clock_ms() - figures.started_ms) / 1000},
            {"ready", {{"ingest", figures.ready_ingest}, {"control", figures.ready_control}}}};
  if (!figures.not_ready_because.empty()) body["ready"]["because"] = figures.not_ready_because;
  body["facts"] = std::move(facts);
  body["counts"] = std::move(counts);
  add_health(body, figures);
  return body;
}

/// The mark itself; that of before does not matter: a repeat changes nothing.
http_response drain_answer(const node_facade& node) {
  return data_answer({{"node", node.name()}, {"draining", node.draining()}});
}

void add_drain_routes(router& table, node_facade& node) {
  table.add({"GET", "/picket/drain", {}, [&node](const http_request&, const path_parts&) {
               return drain_answer(node);
             }});
  for (auto [method, on] : {std::pair{"PUT", true}, std::pair{"DELETE", false}})
    table.add({method, "/picket/drain", {}, [&node, on = on](const http_request& request, const path_parts&) {
                 node.drain(on, "api", request.remote);
                 return drain_answer(node);
               }});
}

} // namespace

void add_node_routes(router& table, node_facade& node) {
  add_drain_routes(table, node);
  table.add({"GET", "/", {}, [&node](const http_request&, const path_parts&) {
               auto figures = node.figures();
               return data_answer(
                   {{"title", "Picket API"}, {"api_version", figures.version}, {"hostname", figures.node}});
             }});
  table.add({"GET", "/picket/node/status", {}, [&node](const http_request&, const path_parts&) {
               return data_answer(figures_json(node.figures()));
             }});
}

} // namespace picket::api
