#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/api/http.hpp"
#include "base/error.hpp"

// Included by the handlers only: JSON is a heavy header.

namespace picket::api {

using json = nlohmann::ordered_json;

/// An item that could not be served, by id.
struct failed_item {
  std::string id;
  error why;
};

/// The collection envelope (server-api.md 3.1): items, their number before paging, failed ids grouped by
/// error. `all`, `some`, `none`: the sentence for people.
http_response envelope(json items, std::size_t total, const std::vector<failed_item>& failed,
                       const std::string& all, const std::string& some, const std::string& none);

http_response data_answer(json data);
http_response message_answer(const std::string& message);

/// `offset` and `limit` (1 to 100,000, default 500) of a request. Errors: invalid_argument.
struct page {
  std::size_t offset = 0;
  std::size_t limit = 500;
};
result<page> page_of(const http_request& request);

/// The first value of a query parameter, or empty.
std::string parameter(const http_request& request, const std::string& name);

/// Comma-separated values without empty ones.
std::vector<std::string> split_list(const std::string& text);

/// Values of a list parameter; each must be one of `allowed`. Errors: invalid_argument.
result<std::vector<std::string>> choices_of(const http_request& request, const std::string& name,
                                            std::initializer_list<std::string_view> allowed);

/// "7d", "12h", "30m", "45s" or "45" in seconds. Errors: invalid_argument.
result<std::int64_t> parse_span(const std::string& name, const std::string& text);

/// Deepest body that is read.
inline constexpr std::size_t body_depth_max = 32;

/// The body as a JSON object. Errors: invalid_argument.
result<json> body_of(const http_request& request);
/// A text member; empty if absent. Errors: invalid_argument if it is no text.
result<std::string> text_member(const json& body, const std::string& name);
/// A list of texts; empty if absent. Errors: invalid_argument if it is no such list.
result<std::vector<std::string>> list_member(const json& body, const std::string& name);

} // namespace picket::api
