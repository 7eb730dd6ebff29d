#include "actors/enroller/enrollment.hpp"

#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/answers.hpp"
#include "protocol/enrollment/names.hpp"
#include "protocol/enrollment/request.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket {

namespace {

tl::unexpected<enrollment_refusal> refuse(std::string text, std::string reason) {
  return tl::unexpected<enrollment_refusal>(enrollment_refusal{std::move(text), std::move(reason)});
}

/// As the reference stores addresses of connections: IPv6 in full.
std::string stored_form(const net::ip_address& source) {
  auto address = protocol::parse_agent_address(net::to_string(source));
  return address ? protocol::to_text(*address) : net::to_string(source);
}

} // namespace

tl::expected<protocol::agent_add, enrollment_refusal>
read_enrollment(std::string_view line, const net::ip_address& source, const enrollment_policy& policy,
                const std::function<std::string()>& draw_key) {
  if (!policy.password.empty()) {
    auto rest = protocol::strip_password(line, policy.password);
    if (!rest) return refuse(std::string{protocol::refusal::invalid_password}, "password");
    line = *rest;
  }
  auto request = protocol::parse_enrollment_request(line);
  if (!request) return refuse(protocol::refusal_of(request.error()), protocol::to_string(request.error()));
  // Where none is needed, a password makes the line another one than an agent may send.
  if (!request->password.empty())
    return refuse(std::string{protocol::refusal::invalid_request}, "a password although none is needed");
  if (!policy.versions.allow_higher && !request->version.empty()
      && protocol::is_higher_version(request->version, policy.versions.server_version))
    return refuse(std::string{protocol::refusal::version_too_high}, "version");
  protocol::agent_add add;
  add.name = std::string{request->name};
  add.agent_version = std::string{request->version};
  add.key_hash = std::string{request->key_hash};
  add.source = stored_form(source);
  if (!request->groups.empty()) {
    add.groups = protocol::split_groups(request->groups);
    if (auto fault = protocol::group_member_fault(add.groups)) return refuse(*fault, "groups");
  }
  if (request->wants_source_address() || (request->address.empty() && policy.use_source_ip)) {
    add.address = add.source;
  } else if (request->address.empty()) {
    add.address = "any";
  } else {
    auto address = protocol::parse_agent_address(request->address);
    if (!address) return refuse(protocol::refusal::invalid_address(request->address), "address");
    add.address = protocol::to_text(*address);
  }
  add.force = policy.force;
  add.repeat_window_s = policy.repeat_window_s;
  add.key = draw_key();
  return add;
}

std::vector<agent_id> agents_in_the_way(const store::registry_view& view, const protocol::agent_add& add) {
  std::vector<agent_id> found;
  if (auto id = view.agent_by_name(add.name)) found.push_back(*id);
  auto address = protocol::address_key(add.address);
  if (!address.empty())
    if (auto id = view.agent_by_address(address)) found.push_back(*id);
  return found;
}

} // namespace picket
