#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::engine {

/// An IPv4 or IPv6 address as text of an event or rule names it.
struct ip_address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{}; ///< IPv4 uses the first four
};

/// Nothing if `text` is no address of either family.
std::optional<ip_address> parse_address(std::string_view text) noexcept;

/// What `srcip` and `dstip` of a rule name (rules.md 1.4): an address, address/prefix, address/netmask, or
/// "any".
struct address_range {
  bool any = false;
  ip_address base;
  std::array<std::uint8_t, 16> mask{};

  /// The families never match each other.
  bool contains(const ip_address& address) const noexcept;
};

/// Nothing if it is none of the four forms. A leading `!` must have been taken off.
std::optional<address_range> parse_address_range(std::string_view text) noexcept;

} // namespace picket::engine
