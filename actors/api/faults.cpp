#include "base/faults/faults.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"

#if PICKET_FAULTS

namespace picket::api {

namespace {

http_response show() {
  json items = json::array();
  for (const auto& one : faults::list())
    items.push_back({{"name", one.name}, {"value", one.value.empty() ? json(nullptr) : json(one.value)}});
  return data_answer({{"faults", std::move(items)}});
}

http_response put(const http_request& request, const std::string& name) {
  auto body = body_of(request);
  if (!body) return problem(body.error());
  auto wanted = text_member(*body, "value");
  if (!wanted) return problem(wanted.error());
  if (auto done = faults::set(name, *wanted); !done) return problem(done.error());
  return show();
}

} // namespace

void add_fault_routes(router& table) {
  table.add({"GET", "/picket/faults", {}, [](const http_request&, const path_parts&) { return show(); }});
  table.add({"PUT", "/picket/faults/{name}", {}, [](const http_request& request, const path_parts& parts) {
               return put(request, parts[0]);
             }});
  table.add({"DELETE", "/picket/faults/{name}", {}, [](const http_request&, const path_parts& parts) {
               auto done = faults::set(parts[0], "off");
               return done ? show() : problem(done.error());
             }});
  table.add({"DELETE", "/picket/faults", {}, [](const http_request&, const path_parts&) {
               faults::clear_all();
               return show();
             }});
}

} // namespace picket::api

#endif
