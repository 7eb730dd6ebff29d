#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace picket::ctl {

/// One request to the admin endpoint.
struct api_request {
  std::string method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
  std::string body;
  std::string content_type = "application/json";
  int timeout_s = 0; ///< 0: as the operator says
};

struct api_answer {
  int status = 0;
  std::string content_type;
  std::string body;
};

/// Where the admin endpoint is and how its certificate is checked.
struct api_target {
  std::string host; ///< name or address, IPv6 without brackets
  int port = 55'000;
  std::string token;
  std::string ca_file; ///< PEM: what is trusted
  bool pinned =
      false; ///< `ca_file` is the node's own certificate: that one is trusted whatever name it carries
  bool insecure = false; ///< the operator asked for no check
  int timeout_s = 10;
};

/// The text as it may stand in a path or query: all but letters, digits and `-_.~,` as %XX.
std::string escape_url(const std::string& text);

/// "/agents?limit=5&match=a%20b".
std::string request_target(const api_request& request);

/// Sends it. Errors: not_running (nobody listens), timeout, certificate_invalid, io.
result<api_answer> send_request(const api_target& target, const api_request& request);

} // namespace picket::ctl
