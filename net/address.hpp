#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

struct sockaddr_storage;

namespace picket::net {

/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses become IPv4, so one peer has one spelling.
struct ip_address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{}; ///< IPv4 uses the first four

  friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// "10.1.2.3" or "2001:db8::1". Errors: address_invalid.
result<ip_address> parse_ip(std::string_view text);
std::string to_string(const ip_address& address);

/// The addresses that share their first `bits` with `base`.
struct address_range {
  ip_address base;
  unsigned bits = 0; ///< at most 32, of IPv6 128

  bool contains(const ip_address& address) const noexcept;
};
bool contains(const std::vector<address_range>& ranges, const ip_address& address) noexcept;

/// Where to listen or to connect to.
struct endpoint {
  ip_address address;
  std::uint16_t port = 0;

  friend bool operator==(const endpoint&, const endpoint&) = default;
};

/// "0.0.0.0:1514", "[::]:1514". Port 0 lets the system choose. Errors: address_invalid.
result<endpoint> parse_endpoint(std::string_view text);
std::string to_string(const endpoint& where);

/// To and from what the socket calls use; `length` is the size of what was filled in.
std::uint32_t to_sockaddr(const endpoint& where, sockaddr_storage& out) noexcept;
endpoint from_sockaddr(const sockaddr_storage& in) noexcept;

struct ip_address_hash {
  std::size_t operator()(const ip_address& a) const noexcept {
    return std::hash<std::string_view>{}({reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size()});
  }
};

} // namespace picket::net
