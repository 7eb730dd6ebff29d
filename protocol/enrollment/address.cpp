#include "protocol/enrollment/address.hpp"

#include <algorithm>
#include <cstring>

#include <arpa/inet.h>

namespace picket::protocol {

namespace {

constexpr std::size_t longest_text = 63;

int bits_of(const ip_address& address) noexcept { return address.v6 ? 128 : 32; }

/// Copies to a terminated buffer for inet_pton; false if it is too long or has a NUL inside.
bool terminated(std::string_view text, char (&to)[longest_text + 1]) noexcept {
  if (text.size() > longest_text || text.find('\0') != std::string_view::npos) return false;
  std::memcpy(to, text.data(), text.size());
  to[text.size()] = '\0';
  return true;
}

std::optional<int> parse_bits(std::string_view text, int most) noexcept {
  if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  int bits = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    bits = bits * 10 + (c - '0');
  }
  if (bits > most) return std::nullopt;
  return bits;
}

/// Ones, then zeros.
std::optional<int> parse_netmask(std::string_view text) noexcept {
  auto mask = parse_ip_address(text);
  if (!mask || mask->v6) return std::nullopt;
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i)
    value = value << 8U | mask->bytes[static_cast<std::size_t>(i)];
  int bits = 0;
  while (bits < 32 && (value & 0x80000000U) != 0) {
    value <<= 1U;
    ++bits;
  }
  if (value != 0) return std::nullopt;
  return bits;
}

} // namespace

std::optional<ip_address> parse_ip_address(std::string_view text) noexcept {
  char buffer[longest_text + 1];
  if (!terminated(text, buffer)) return std::nullopt;
  ip_address address;
  if (text.find(':') == std::string_view::npos) {
    if (inet_pton(AF_INET, buffer, address.bytes.data()) != 1) return std::nullopt;
    return address;
  }
  if (inet_pton(AF_INET6, buffer, address.bytes.data()) != 1) return std::nullopt;
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(std::begin(mapped), std::end(mapped), address.bytes.begin())) {
    ip_address v4;
    std::copy_n(address.bytes.begin() + 12, 4, v4.bytes.begin());
    return v4;
  }
  address.v6 = true;
  return address;
}

std::string to_text(const ip_address& address) {
  std::string text;
  if (!address.v6) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (i > 0) text += '.';
      text += std::to_string(address.bytes[i]);
    }
    return text;
  }
  static constexpr char digits[] = "0123456789ABCDEF";
  for (std::size_t i = 0; i < 16; ++i) {
    if (i > 0 && i % 2 == 0) text += ':';
    text += digits[address.bytes[i] >> 4U];
    text += digits[address.bytes[i] & 15U];
  }
  return text;
}

bool agent_address::contains(const ip_address& source) const noexcept {
  if (any) return true;
  if (source.v6 != host.v6) return false;
  auto whole = prefix / 8;
  if (!std::equal(host.bytes.begin(), host.bytes.begin() + whole, source.bytes.begin())) return false;
  auto rest = prefix % 8;
  if (rest == 0) return true;
  auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  auto at = static_cast<std::size_t>(whole);
  return (host.bytes[at] & mask) == (source.bytes[at] & mask);
}

std::string agent_address::duplicate_key() const {
  if (any) return {};
  auto network = host;
  for (std::size_t i = 0; i < network.bytes.size(); ++i) {
    auto kept = std::clamp(static_cast<int>(prefix) - static_cast<int>(8 * i), 0, 8);
    network.bytes[i] &= static_cast<std::uint8_t>(0xff00U >> kept);
  }
  return protocol::to_text(network) + "/" + std::to_string(prefix);
}

std::optional<agent_address> parse_agent_address(std::string_view text) noexcept {
  agent_address parsed;
  if (text == "any") return parsed;
  auto slash = text.find('/');
  auto host_text = text.substr(0, slash);
  auto host = parse_ip_address(host_text);
  if (!host) return std::nullopt;
  parsed.any = false;
  parsed.host = *host;
  parsed.prefix = static_cast<std::uint8_t>(bits_of(*host));
  if (slash == std::string_view::npos) return parsed;
  auto mask = text.substr(slash + 1);
  bool mapped = !host->v6 && host_text.find(':') != std::string_view::npos;
  auto bits = parse_bits(mask, mapped ? 128 : bits_of(*host));
  if (!bits && !host->v6 && !mapped) bits = parse_netmask(mask);
  if (!bits) return std::nullopt;
  if (mapped) {
    if (*bits < 96) return std::nullopt; // wider than all of IPv4
    *bits -= 96;
  }
  parsed.prefix = static_cast<std::uint8_t>(*bits);
  parsed.shows_prefix = true;
  return parsed;
}

std::string to_text(const agent_address& address) {
  if (address.any) return "any";
  auto text = to_text(address.host);
  if (address.shows_prefix) text += "/" + std::to_string(address.prefix);
  return text;
}

} // namespace picket::protocol
