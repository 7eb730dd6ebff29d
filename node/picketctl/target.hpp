#pragma once

#include "node/picketctl/http_client.hpp"
#include "node/picketctl/session.hpp"

namespace picket::ctl {

struct url_parts {
  std::string host; ///< IPv6 without brackets
  int port = 55'000;
};

/// "https://HOST[:PORT]". Errors: invalid_argument.
result<url_parts> parse_url(const std::string& url);

/// Where to connect to reach what listens there: every-address becomes this machine.
url_parts reachable(const config::listen_address& listen);

/// The admin endpoint that the options and the node's configuration name, with its token read. What the
/// options say wins; the configuration is read only for what they leave open. Errors: bad_configuration,
/// not_found, io, permission, corrupt, invalid_argument.
result<api_target> find_target(const session& with);

} // namespace picket::ctl
