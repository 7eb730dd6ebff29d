#pragma once

#include <cstdint>
#include <string>

namespace picket::harness {

/// A PROXY header as a balancer sends it for a client, with some port of its own. The address's family
/// decides.
std::string proxy_v1(const std::string& client);
std::string proxy_v2(const std::string& client);
/// As it sends it in front of its own checks.
std::string proxy_v1_unknown();
std::string proxy_v2_local();

} // namespace picket::harness
