#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/api/facade.hpp"
#include "actors/api/http.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket::api {

struct api_options {
  http_options http;
  std::string token;
};

/// The admin endpoint: one routing table, one error format, one place for authentication. Everything but the
/// token check is a function of the request and the node.
result<std::unique_ptr<http_server>> start_api(api_options options, std::shared_ptr<node_facade> node,
                                               std::shared_ptr<const metrics> counts);

/// Whether the node is fit for a kind of traffic; empty: yes, else why not.
struct health_checks {
  std::function<std::string()> ingest;
  std::function<std::string()> control;
};

/// `/health/live`, `/health/ready/ingest`, `/health/ready/control`, `/metrics`: on an instance and threads of
/// their own, so that a slow API request never makes a healthy node look dead. Plain HTTP, no authentication,
/// no secrets.
result<std::unique_ptr<http_server>> start_health(http_options options, health_checks checks,
                                                  std::shared_ptr<const metrics> counts);

} // namespace picket::api
