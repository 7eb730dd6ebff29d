#include "actors/api/router.hpp"

#include "actors/api/problem.hpp"

namespace picket::api {

namespace {

std::string_view next_part(std::string_view& rest) {
  auto slash = rest.find('/');
  auto part = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return part;
}

} // namespace

bool match_path(std::string_view pattern, std::string_view path, path_parts& parts) {
  parts.clear();
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (pattern.empty() || path.empty() || path.front() != '/') return false;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  while (true) {
    bool last = pattern.find('/') == std::string_view::npos;
    if (last != (path.find('/') == std::string_view::npos)) return false;
    auto wanted = next_part(pattern);
    auto given = next_part(path);
    if (!wanted.empty() && wanted.front() == '{') {
      if (given.empty()) return false;
      parts.emplace_back(given);
    } else if (wanted != given) {
      return false;
    }
    if (last) return true;
  }
}

http_response router::handle(const http_request& request) const {
  bool path_known = false;
  path_parts parts;
  for (const auto& one : routes_) {
    if (!match_path(one.pattern, request.path, parts)) continue;
    path_known = true;
    if (one.method != request.method) continue;
    for (const auto& [name, value] : request.query) {
      if (name == "pretty" || name == "wait_for_complete") continue;
      if (one.parameters.find(name) == one.parameters.end())
        return problem(400, "Bad Request", "Extra query parameter(s) {'" + name + "'}",
                       "Leave it out; this call takes: " + join(one.parameters));
    }
    return one.handle(request, parts);
  }
  if (path_known) return problem(405, "Method Not Allowed", "405: Method Not Allowed");
  return problem(404, "Not Found", "404: Not Found");
}

} // namespace picket::api
