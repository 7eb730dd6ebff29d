#include "net/address.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace picket::net {

namespace {

constexpr std::uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

ip_address from_v6_bytes(const std::uint8_t* bytes) {
  ip_address address;
  if (std::equal(mapped_prefix, mapped_prefix + 12, bytes)) {
    std::copy(bytes + 12, bytes + 16, address.bytes.begin());
    return address;
  }
  address.v6 = true;
  std::copy(bytes, bytes + 16, address.bytes.begin());
  return address;
}

tl::unexpected<error> bad_address(std::string_view text) {
  return fail(errc::address_invalid, "'" + std::string{text} + "' is not an address");
}

} // namespace

result<ip_address> parse_ip(std::string_view text) {
  std::string copy{text};
  in_addr v4{};
  if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) {
    ip_address address;
    std::memcpy(address.bytes.data(), &v4, 4);
    return address;
  }
  in6_addr v6{};
  if (inet_pton(AF_INET6, copy.c_str(), &v6) == 1) return from_v6_bytes(v6.s6_addr);
  return bad_address(text);
}

std::string to_string(const ip_address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

bool address_range::contains(const ip_address& address) const noexcept {
  if (address.v6 != base.v6) return false;
  const auto whole = std::min<std::size_t>(bits / 8, address.bytes.size());
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<long>(whole), address.bytes.begin()))
    return false;
  const auto rest = bits % 8;
  if (rest == 0 || whole == address.bytes.size()) return true;
  return (base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

bool contains(const std::vector<address_range>& ranges, const ip_address& address) noexcept {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const address_range& range) { return range.contains(address); });
}

result<endpoint> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  auto host = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) return bad_address(text);
  endpoint where;
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), where.port);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return bad_address(text);
  if (host.empty() || host == "localhost") host = host.empty() ? "0.0.0.0" : "127.0.0.1";
  auto address = parse_ip(host);
  if (!address) return bad_address(text);
  where.address = *address;
  return where;
}

std::string to_string(const endpoint& where) {
  auto host = to_string(where.address);
  return (where.address.v6 ? "[" + host + "]" : host) + ":" + std::to_string(where.port);
}

std::uint32_t to_sockaddr(const endpoint& where, sockaddr_storage& out) noexcept {
  std::memset(&out, 0, sizeof out);
  if (where.address.v6) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(out);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(where.port);
    std::memcpy(&v6.sin6_addr, where.address.bytes.data(), 16);
    return sizeof(sockaddr_in6);
  }
  auto& v4 = reinterpret_cast<sockaddr_in&>(out);
  v4.sin_family = AF_INET;
  v4.sin_port = htons(where.port);
  std::memcpy(&v4.sin_addr, where.address.bytes.data(), 4);
  return sizeof(sockaddr_in);
}

endpoint from_sockaddr(const sockaddr_storage& in) noexcept {
  endpoint where;
  if (in.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(in);
    where.address = from_v6_bytes(v6.sin6_addr.s6_addr);
    where.port = ntohs(v6.sin6_port);
  } else {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(in);
    std::memcpy(where.address.bytes.data(), &v4.sin_addr, 4);
    where.port = ntohs(v4.sin_port);
  }
  return where;
}

} // namespace picket::net
