#include "protocol/registry/address_key.hpp"

#include "protocol/enrollment/address.hpp"

namespace picket::protocol {

std::string address_key(std::string_view registered) {
  auto address = parse_agent_address(registered);
  return address ? address->duplicate_key() : std::string{};
}

bool address_contains(std::string_view registered, std::string_view peer) {
  auto address = parse_agent_address(registered);
  auto source = parse_ip_address(peer);
  return address && source && address->contains(*source);
}

} // namespace picket::protocol
