#pragma once

#include <string>
#include <string_view>

namespace picket::protocol {

/// A registered address so that equal ones have equal keys: family, masked base, prefix length. "10.1.2.3"
/// and "10.1.2.3/32" are the same; "10.1.2.9/24" is "10.1.2.0/24". Empty for "any" and for what is no address
/// (agent-protocol.md 1.5).
std::string address_key(std::string_view registered);

/// Whether a peer's address lies inside a registered address; "any" takes all.
bool address_contains(std::string_view registered, std::string_view peer);

} // namespace picket::protocol
