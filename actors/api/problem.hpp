#pragma once

#include <set>
#include <string>

#include "actors/api/http.hpp"
#include "base/error.hpp"

namespace picket::api {

/// The one error format of the API: application/problem+json (server-api.md 3.2). `code` 0: none is shown.
http_response problem(int status, const std::string& title, const std::string& detail,
                      const std::string& remediation = {}, int code = 0);

/// One that the HTTP status alone says.
http_response problem(int status);

/// The same from an error of ours: status and number of the API's catalogue (server-api.md 12) by its code.
http_response problem(const error& err);

/// Number of the API's catalogue for one of our codes; 1000 where there is no better one.
int catalogue_code(errc code) noexcept;
int http_status(errc code) noexcept;

std::string join(const std::set<std::string, std::less<>>& words);

} // namespace picket::api
