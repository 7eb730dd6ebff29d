#include "actors/api/envelope.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "actors/api/problem.hpp"

namespace picket::api {

namespace {

http_response json_answer(const json& body) {
  return {200, "application/json", body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

result<std::size_t> number_of(const http_request& request, const std::string& name, std::size_t fallback,
                              std::size_t least, std::size_t most) {
  auto text = parameter(request, name);
  if (text.empty()) return fallback;
  std::size_t value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value < least || value > most)
    return fail(errc::invalid_argument,
                "'" + name + "' must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

} // namespace

http_response envelope(json items, std::size_t total, const std::vector<failed_item>& failed, const std::string& all,
                       const std::string& some, const std::string& none) {
  std::map<std::pair<int, std::string>, std::vector<std::string>> groups;
  std::map<std::pair<int, std::string>, std::string> remedies;
  for (const auto& item : failed) {
    std::pair key{catalogue_code(item.why.code), item.why.what};
    groups[key].push_back(item.id);
    remedies[key] = item.why.mend.empty() ? std::string{mend_of(item.why.code)} : item.why.mend;
  }
  json failures = json::array();
  for (auto& [key, ids] : groups) {
    std::sort(ids.begin(), ids.end());
    json why{{"code", key.first}, {"message", key.second}};
    if (!remedies[key].empty()) why["remediation"] = remedies[key];
    failures.push_back({{"error", why}, {"id", ids}});
  }
  bool any = !items.empty() || total > 0;
  int code = failed.empty() ? 0 : any ? 2 : 1;
  json body{{"data",
             {{"affected_items", std::move(items)},
              {"total_affected_items", total},
              {"total_failed_items", failed.size()},
              {"failed_items", std::move(failures)}}},
            {"message", code == 0 ? all : code == 2 ? some : none},
            {"error", code}};
  return json_answer(body);
}

http_response data_answer(json data) { return json_answer({{"data", std::move(data)}, {"error", 0}}); }
http_response message_answer(const std::string& message) { return json_answer({{"message", message}, {"error", 0}}); }

result<page> page_of(const http_request& request) {
  auto offset = number_of(request, "offset", 0, 0, 1'000'000'000);
  if (!offset) return tl::unexpected<error>(offset.error());
  auto limit = number_of(request, "limit", 500, 1, 100'000);
  if (!limit) return tl::unexpected<error>(limit.error());
  return page{*offset, *limit};
}

std::string parameter(const http_request& request, const std::string& name) {
  auto found = request.query.find(name);
  return found == request.query.end() ? std::string{} : found->second;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t from = 0; from <= text.size();) {
    auto to = std::min(text.find(',', from), text.size());
    if (to > from) words.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

result<json> body_of(const http_request& request) {
  auto body = json::parse(request.body, nullptr, false);
  if (body.is_discarded() || !body.is_object())
    return fail(errc::invalid_argument, "the body is not a JSON object", {}, "Send one, for example {\"name\":\"web-01\"}.");
  return body;
}

result<std::string> text_member(const json& body, const std::string& name) {
  auto found = body.find(name);
  if (found == body.end()) return std::string{};
  if (!found->is_string()) return fail(errc::invalid_argument, "'" + name + "' must be a text");
  return found->get<std::string>();
}

} // namespace picket::api
