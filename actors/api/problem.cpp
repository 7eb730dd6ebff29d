#include "actors/api/problem.hpp"

#include <nlohmann/json.hpp>

namespace picket::api {

namespace {

std::string title_of(int status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Permission Denied";
  case 404:
    return "Resource Not Found";
  case 405:
    return "Method Not Allowed";
  case 413:
    return "Request Entity Too Large";
  case 414:
    return "Request-URI Too Large";
  case 429:
    return "Too Many Requests";
  case 503:
    return "Service Unavailable";
  default:
    return "Internal Error";
  }
}

} // namespace

http_response problem(int status, const std::string& title, const std::string& detail,
                      const std::string& remediation, int code) {
  nlohmann::ordered_json body{{"title", title}, {"detail", detail}};
  if (!remediation.empty()) body["remediation"] = remediation;
  if (code != 0) body["error"] = code;
  return {status, "application/problem+json",
          body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)};
}

http_response problem(int status) {
  auto title = title_of(status);
  return problem(status, title, std::to_string(status) + ": " + title);
}

int catalogue_code(errc code) noexcept {
  switch (code) {
  case errc::agent_unknown:
    return 1701;
  case errc::agent_is_node:
    return 1703;
  case errc::agent_name_taken:
    return 1705;
  case errc::agent_address_taken:
  case errc::address_invalid:
    return 1706;
  case errc::agent_id_taken:
    return 1708;
  case errc::agent_key_invalid:
    return 1709;
  case errc::group_unknown:
    return 1710;
  case errc::already_exists:
    return 1711;
  case errc::group_protected:
    return 1712;
  case errc::group_name_invalid:
    return 1722;
  case errc::agent_not_eligible:
    return 1731;
  case errc::agent_name_invalid:
    return 1738;
  case errc::limit_reached:
    return 1737;
  case errc::registry_unavailable:
  case errc::registry_busy:
  case errc::outcome_unknown:
    return 1726;
  case errc::timeout:
    return 3021;
  default:
    return 1000;
  }
}

int http_status(errc code) noexcept {
  switch (code) {
  case errc::agent_unknown:
  case errc::group_unknown:
  case errc::not_found:
  case errc::letter_unknown:
  case errc::fault_unknown:
    return 404;
  case errc::registry_unavailable:
  case errc::registry_busy:
  case errc::outcome_unknown:
  case errc::timeout:
  case errc::not_running:
    return 503;
  case errc::internal:
  case errc::io:
  case errc::corrupt:
  case errc::disk_full:
    return 500;
  default:
    return 400;
  }
}

http_response problem(const error& err) {
  auto status = http_status(err.code);
  auto mend = err.mend.empty() ? std::string{mend_of(err.code)} : err.mend;
  return problem(status, title_of(status), err.what, mend, catalogue_code(err.code));
}

std::string join(const std::set<std::string, std::less<>>& words) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text.empty() ? "none" : text;
}

} // namespace picket::api
