#include "actors/api/api.hpp"

#include "actors/api/handlers.hpp"
#include "actors/api/problem.hpp"
#include "actors/api/router.hpp"
#include "actors/api/token.hpp"

namespace picket::api {

namespace {

std::string_view class_of(int status) { return status < 400 ? "2xx" : status < 500 ? "4xx" : "5xx"; }

http_response health_answer(const std::function<std::string()>& check) {
  auto why_not = check ? check() : std::string{};
  if (why_not.empty()) return {200, "text/plain", "ok\n"};
  return {503, "text/plain", why_not + "\n"};
}

} // namespace

result<std::unique_ptr<http_server>> start_api(api_options options, std::shared_ptr<node_facade> node,
                                               std::shared_ptr<const metrics> counts) {
  auto table = std::make_shared<router>();
  add_agent_routes(*table, *node);
  add_agent_change_routes(*table, *node);
  add_agent_removal_routes(*table, *node);
  add_agent_key_routes(*table, *node);
  add_group_routes(*table, *node);
  add_deadletter_routes(*table, *node);
  add_node_routes(*table, *node);
  add_fault_routes(*table);
  auto gate = [token = options.token, counts](const http_request& request, http_response& response) {
    if (authorized(request.authorization, token)) return false;
    response = problem(401, "Unauthorized", "No authorization token provided",
                       "Send 'Authorization: Bearer TOKEN' with the token of the node's token file.");
    counts->api_requests_total.add_for("4xx");
    return true;
  };
  // `node` travels with the handler: the routes refer to it.
  auto handle = [table, node, counts](const http_request& request) {
    auto response = table->handle(request);
    counts->api_requests_total.add_for(class_of(response.status));
    return response;
  };
  return http_server::start(std::move(options.http), gate, handle);
}

result<std::unique_ptr<http_server>> start_health(http_options options, health_checks checks,
                                                  std::shared_ptr<const metrics> counts) {
  auto table = std::make_shared<router>();
  table->add({"GET", "/health/live", {}, [](const http_request&, const path_parts&) {
                return http_response{200, "text/plain", "ok\n"};
              }});
  table->add({"GET", "/health/ready/ingest", {}, [checks](const http_request&, const path_parts&) {
                return health_answer(checks.ingest);
              }});
  table->add({"GET", "/health/ready/control", {}, [checks](const http_request&, const path_parts&) {
                return health_answer(checks.control);
              }});
  table->add({"GET", "/metrics", {}, [counts](const http_request&, const path_parts&) {
                return http_response{200, "text/plain; version=0.0.4", counts->render()};
              }});
  return http_server::start(std::move(options), {},
                            [table](const http_request& request) { return table->handle(request); });
}

} // namespace picket::api
