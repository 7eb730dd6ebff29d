#include "node/picketctl/target.hpp"

#include <charconv>

#include <unistd.h>

#include "actors/api/token.hpp"

namespace picket::ctl {

namespace {

tl::unexpected<error> bad_url(const std::string& url) {
  return fail(errc::invalid_argument, "this is no address of an admin endpoint", url,
              "write it like https://127.0.0.1:55000");
}

bool every_address(const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; }

/// Takes from the configuration what the options leave open.
result<void> take_configuration(const session& with, api_target& target, std::string& token_file) {
  auto loaded = config::load_file(configuration_file(with), with.environment);
  if (!loaded) return tl::unexpected<error>(loaded.error());
  const auto& api = loaded->values.api;
  if (with.options.url.empty()) {
    auto where = reachable(api.listen);
    target.host = where.host;
    target.port = where.port;
  }
  if (token_file.empty()) token_file = api.token_file.string();
  if (target.ca_file.empty() && !target.insecure && ::access(api.tls.certificate.c_str(), R_OK) == 0) {
    target.ca_file = api.tls.certificate.string();
    target.pinned = true;
  }
  return {};
}

} // namespace

result<url_parts> parse_url(const std::string& url) {
  constexpr std::string_view scheme = "https://";
  std::string_view rest{url};
  if (rest.substr(0, scheme.size()) != scheme) return bad_url(url);
  rest.remove_prefix(scheme.size());
  if (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  url_parts parts;
  std::string_view port;
  bool has_port = false;
  if (!rest.empty() && rest.front() == '[') {
    auto end = rest.find(']');
    if (end == std::string_view::npos) return bad_url(url);
    parts.host = rest.substr(1, end - 1);
    rest.remove_prefix(end + 1);
    has_port = !rest.empty();
    if (has_port && rest.front() != ':') return bad_url(url);
    if (has_port) port = rest.substr(1);
  } else {
    auto colon = rest.find(':');
    parts.host = rest.substr(0, colon);
    has_port = colon != std::string_view::npos;
    if (has_port) port = rest.substr(colon + 1);
  }
  if (parts.host.empty() || parts.host.find_first_of("/?#@ ") != std::string::npos) return bad_url(url);
  if (!has_port) return parts;
  auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
  if (problem != std::errc{} || end != port.data() + port.size() || parts.port < 1 || parts.port > 65'535)
    return bad_url(url);
  return parts;
}

url_parts reachable(const config::listen_address& listen) {
  // The name "localhost" would try IPv6 first; the node's own certificate carries this address.
  auto host = listen.host;
  if (every_address(host)) host = "127.0.0.1";
  return {host, listen.port};
}

result<api_target> find_target(const session& with) {
  const auto& options = with.options;
  api_target target;
  target.insecure = options.insecure;
  target.timeout_s = options.timeout_s;
  target.ca_file = options.ca_file;
  if (!target.ca_file.empty() && ::access(target.ca_file.c_str(), R_OK) != 0)
    return fail(errc::not_found, "cannot read the certificates to trust", target.ca_file,
                "give a PEM file with --ca");
  if (!options.url.empty()) {
    auto parts = parse_url(options.url);
    if (!parts) return tl::unexpected<error>(parts.error());
    target.host = parts->host;
    target.port = parts->port;
  }
  auto token_file = options.token_file;
  bool complete =
      !options.url.empty() && !token_file.empty() && (options.insecure || !options.ca_file.empty());
  if (!complete) {
    auto taken = take_configuration(with, target, token_file);
    if (!taken) return tl::unexpected<error>(taken.error());
  }
  auto token = api::read_token(token_file);
  if (!token) {
    auto why = token.error();
    // Without a token nothing is authorized, whatever keeps it from being read.
    why.code = errc::permission;
    if (why.mend.empty()) why.mend = "the node makes the file when it starts; give --config or --token-file";
    return tl::unexpected<error>(std::move(why));
  }
  target.token = *token;
  return target;
}

} // namespace picket::ctl
