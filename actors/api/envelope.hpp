#pragma once

#include <string>
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

/// The collection envelope (server-api.md 3.1): items, their number before paging, failed ids grouped by error.
/// `all`, `some`, `none`: the sentence for people.
http_response envelope(json items, std::size_t total, const std::vector<failed_item>& failed, const std::string& all,
                       const std::string& some, const std::string& none);

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

/// The body as a JSON object. Errors: invalid_argument.
result<json> body_of(const http_request& request);
/// A text member; empty if absent. Errors: invalid_argument if it is no text.
result<std::string> text_member(const json& body, const std::string& name);

} // namespace picket::api
