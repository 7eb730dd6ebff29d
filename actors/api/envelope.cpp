#include "actors/api/envelope.hpp"

#include <algorithm>
#include <cctype>
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
    return fail(errc::invalid_argument, "'" + name + "' must be a number from " + std::to_string(least)
                                            + " to " + std::to_string(most));
  return value;
}

} // namespace

http_response envelope(json items, std::size_t total, const std::vector<failed_item>& failed,
                       const std::string& all, const std::string& some, const std::string& none) {
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
            {"message", code == 0   ? all
                        : code == 2 ? some
                                    : none},
            {"error", code}};
  return json_answer(body);
}

http_response data_answer(json data) { return json_answer({{"data", std::move(data)}, {"error", 0}}); }
http_response message_answer(const std::string& message) {
  return json_answer({{"message", message}, {"error", 0}});
}

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

result<std::vector<std::string>> choices_of(const http_request& request, const std::string& name,
                                            std::initializer_list<std::string_view> allowed) {
  auto words = split_list(parameter(request, name));
  for (auto& word : words) {
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    if (std::find(allowed.begin(), allowed.end(), word) != allowed.end()) continue;
    std::string all;
    for (auto each : allowed)
      all += (all.empty() ? "" : ", ") + std::string{each};
    return fail(errc::invalid_argument, "'" + name + "' cannot be '" + word.substr(0, 80) + "'", {},
                "Use " + all + ".");
  }
  return words;
}

result<std::int64_t> parse_span(const std::string& name, const std::string& text) {
  std::int64_t number = 0;
  const char* begin = text.data();
  const char* end = begin + text.size();
  auto [at, problem] = std::from_chars(begin, end, number);
  std::int64_t unit_s = at == end ? 1 : 0;
  if (at + 1 == end) unit_s = *at == 's' ? 1 : *at == 'm' ? 60 : *at == 'h' ? 3'600 : *at == 'd' ? 86'400 : 0;
  constexpr std::int64_t hundred_years_s = 3'153'600'000;
  if (problem != std::errc{} || unit_s == 0 || number < 0 || number > hundred_years_s / unit_s)
    return fail(errc::invalid_argument, "'" + name + "' is no span of time", {},
                "Write it like 7d, 12h, 30m or 45s.");
  return number * unit_s;
}

namespace {

/// Deepest nesting of brackets outside strings. Linear, without recursion, on any bytes.
std::size_t depth_of(std::string_view text) {
  std::size_t depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      deepest = std::max(deepest, ++depth);
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return deepest;
}

} // namespace

result<json> body_of(const http_request& request) {
  if (depth_of(request.body) > body_depth_max)
    return fail(errc::invalid_argument, "Maximum recursion depth exceeded.", {},
                "Nest at most " + std::to_string(body_depth_max) + " levels.");
  auto body = json::parse(request.body, nullptr, false);
  if (body.is_discarded() || !body.is_object())
    return fail(errc::invalid_argument, "the body is not a JSON object", {},
                "Send one, for example {\"name\":\"web-01\"}.");
  return body;
}

result<std::string> text_member(const json& body, const std::string& name) {
  auto found = body.find(name);
  if (found == body.end()) return std::string{};
  if (!found->is_string()) return fail(errc::invalid_argument, "'" + name + "' must be a text");
  return found->get<std::string>();
}

result<std::vector<std::string>> list_member(const json& body, const std::string& name) {
  std::vector<std::string> words;
  auto found = body.find(name);
  if (found == body.end()) return words;
  auto wrong = fail(errc::invalid_argument, "'" + name + "' must be a list of texts");
  if (!found->is_array()) return wrong;
  for (const auto& each : *found) {
    if (!each.is_string()) return wrong;
    words.push_back(each.get<std::string>());
  }
  return words;
}

} // namespace picket::api
