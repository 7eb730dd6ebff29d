#pragma once

#include "base/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Addresses of agents as they are registered and as connections show them (agent-protocol 1.5, 2.4).

namespace picket::protocol {

using picket::to_text; // of agent ids: the overloads below would hide it

/// One host. IPv4 stands in the first four bytes; an IPv4-mapped IPv6 address is IPv4.
struct ip_address {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// Dotted quad without leading zeros, or IPv6 in full or compressed form; no zone, no brackets.
std::optional<ip_address> parse_ip_address(std::string_view text) noexcept;
/// IPv6 expanded and in upper case, as the reference stores and answers it.
std::string to_text(const ip_address& address);

/// What an agent is registered with: anything, one host, or a range.
struct agent_address {
  bool any = true;
  ip_address host;         ///< kept as given, also within a range: 10.10.10.1/24
  std::uint8_t prefix = 0; ///< bits; 32 or 128 for one host
  bool shows_prefix = false;

  /// The address lies inside; `any` holds all.
  bool contains(const ip_address& source) const noexcept;
  /// One IPv4 host: its agent sends no `!id!` and is known by its source address.
  bool is_single_v4() const noexcept { return !any && !host.v6 && prefix == 32; }
  /// The range that is meant, however it was written; empty for `any`. Two agents must not share it.
  std::string duplicate_key() const;

  friend bool operator==(const agent_address&, const agent_address&) = default;
};

/// `any`, an address, or an address with `/bits` or, IPv4 only, `/netmask`.
std::optional<agent_address> parse_agent_address(std::string_view text) noexcept;
/// The form that is stored and answered: a netmask becomes `/bits`.
std::string to_text(const agent_address& address);

} // namespace picket::protocol
