#include "engine/match/address.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace picket::engine {

namespace {

std::optional<unsigned> parse_prefix(std::string_view text, unsigned most) noexcept {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

void fill_mask(std::array<std::uint8_t, 16>& mask, unsigned bits) noexcept {
  for (auto& byte : mask) {
    const unsigned here = bits >= 8 ? 8 : bits;
    byte = static_cast<std::uint8_t>(0xFF00u >> here);
    bits -= here;
  }
}

} // namespace

std::optional<ip_address> parse_address(std::string_view text) noexcept {
  // Longest text form of IPv6 is 45 bytes; inet_pton wants a terminator.
  char buffer[48];
  if (text.empty() || text.size() >= sizeof buffer || std::memchr(text.data(), '\0', text.size()))
    return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  ip_address address;
  if (text.find(':') != std::string_view::npos) {
    address.v6 = true;
    if (inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) return std::nullopt;
  } else if (inet_pton(AF_INET, buffer, address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

bool address_range::contains(const ip_address& address) const noexcept {
  if (any) return true;
  if (address.v6 != base.v6) return false;
  const std::size_t length = base.v6 ? 16 : 4;
  for (std::size_t i = 0; i < length; ++i)
    if ((address.bytes[i] & mask[i]) != (base.bytes[i] & mask[i])) return false;
  return true;
}

std::optional<address_range> parse_address_range(std::string_view text) noexcept {
  address_range range;
  if (text == "any") {
    range.any = true;
    return range;
  }
  const auto slash = text.find('/');
  const auto base = parse_address(text.substr(0, slash));
  if (!base) return std::nullopt;
  range.base = *base;
  const unsigned width = base->v6 ? 128 : 32;
  if (slash == std::string_view::npos) {
    fill_mask(range.mask, width);
    return range;
  }
  const auto tail = text.substr(slash + 1);
  if (const auto bits = parse_prefix(tail, width)) {
    fill_mask(range.mask, *bits);
    return range;
  }
  const auto mask = parse_address(tail);
  if (!mask || mask->v6 != base->v6) return std::nullopt;
  range.mask = mask->bytes;
  return range;
}

} // namespace picket::engine
