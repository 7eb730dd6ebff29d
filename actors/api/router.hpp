#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/api/http.hpp"

namespace picket::api {

/// What a route's pattern took out of the path, in order.
using path_parts = std::vector<std::string>;

/// One row of the routing table.
struct route {
  std::string method;
  std::string pattern; ///< "/agents/{id}/key": a part in braces takes one part of the path
  std::set<std::string, std::less<>> parameters; ///< query parameters that are understood; others are refused
  std::function<http_response(const http_request&, const path_parts&)> handle;
};

/// Finds the route of a request and calls it. Unknown path 404, known path with another method 405, unknown
/// query parameter 400 (server-api.md 3.2). `pretty` and `wait_for_complete` are accepted everywhere.
class router {
public:
  void add(route one) { routes_.push_back(std::move(one)); }
  http_response handle(const http_request& request) const;

private:
  std::vector<route> routes_;
};

/// The parts that `pattern` takes out of `path`; nothing if it does not fit.
bool match_path(std::string_view pattern, std::string_view path, path_parts& parts);

} // namespace picket::api
