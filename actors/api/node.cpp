#include "actors/api/agent_json.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"

namespace picket::api {

namespace {

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
            {"ready", {{"ingest", figures.ready_ingest}, {"control", figures.ready_control}}}};
  if (!figures.not_ready_because.empty()) body["ready"]["because"] = figures.not_ready_because;
  body["facts"] = std::move(facts);
  body["counts"] = std::move(counts);
  return body;
}

} // namespace

void add_node_routes(router& table, node_facade& node) {
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
