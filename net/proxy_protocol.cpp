#include "net/proxy_protocol.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace picket::net {

namespace {

constexpr std::string_view line_mark = "PROXY ";
constexpr std::string_view binary_mark{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::size_t head_bytes = 16; ///< of v2: mark, version and command, family, length
constexpr std::size_t v4_bytes = 12;   ///< two addresses, two ports
constexpr std::size_t v6_bytes = 36;
constexpr std::size_t unix_bytes = 216;
constexpr std::size_t tlv_head_bytes = 3;
constexpr std::uint8_t crc32c_type = 0x03;

proxy_parse bad(proxy_fault why) noexcept { return {proxy_status::bad, why, 0, {}}; }

unsigned at(byte_view bytes, std::size_t i) noexcept { return std::to_integer<unsigned>(bytes[i]); }
unsigned load_be16(byte_view bytes, std::size_t i) noexcept { return at(bytes, i) << 8 | at(bytes, i + 1); }

// -- version 1: a line
// ------------------------------------------------------------------------------------------

/// Takes the next word; the line is words with one blank between.
std::string_view next_word(std::string_view& rest) noexcept {
  auto end = rest.find(' ');
  auto word = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return word;
}

std::optional<ip_address> address_of(std::string_view word, bool v6) noexcept {
  char text[INET6_ADDRSTRLEN] = "";
  if (word.empty() || word.size() >= sizeof text) return std::nullopt;
  std::copy(word.begin(), word.end(), text);
  sockaddr_storage from{};
  if (v6) {
    auto& to = reinterpret_cast<sockaddr_in6&>(from);
    to.sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, text, &to.sin6_addr) != 1) return std::nullopt;
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(from);
    to.sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &to.sin_addr) != 1) return std::nullopt;
  }
  return from_sockaddr(from).address;
}

/// Decimal digits without leading zeros.
std::optional<std::uint16_t> port_of(std::string_view word) noexcept {
  std::uint16_t port = 0;
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), port);
  if (problem != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  if (word.size() > 1 && word.front() == '0') return std::nullopt;
  return port;
}

proxy_parse parse_line(std::string_view line) noexcept {
  auto rest = line.substr(line_mark.size());
  auto family = next_word(rest);
  proxy_parse found{proxy_status::complete, proxy_fault::none, line.size() + 2, {}};
  if (family == "UNKNOWN") return found; // what stands behind it is to be ignored
  if (family != "TCP4" && family != "TCP6") return bad(proxy_fault::line);
  bool v6 = family == "TCP6";
  // The order of the fields: both addresses, then both ports.
  auto client = address_of(next_word(rest), v6);
  auto destination = address_of(next_word(rest), v6);
  auto client_port = port_of(next_word(rest));
  bool more = rest.find(' ') != std::string_view::npos;
  auto destination_port = port_of(next_word(rest));
  if (!client || !destination || !client_port || !destination_port || more) return bad(proxy_fault::address);
  found.header = {true, {*client, *client_port}, {*destination, *destination_port}};
  return found;
}

proxy_parse parse_v1(std::string_view text) noexcept {
  auto most = text.substr(0, max_proxy_line_bytes);
  auto end = std::find_if(most.begin(), most.end(), [](char c) { return c < 0x20 || c > 0x7e; });
  auto length = static_cast<std::size_t>(end - most.begin());
  if (length + 2 > max_proxy_line_bytes) return bad(proxy_fault::line);
  if (end == most.end()) return {};
  if (*end != '\r') return bad(proxy_fault::line);
  if (length + 1 == most.size()) return {};
  if (most[length + 1] != '\n') return bad(proxy_fault::line);
  return parse_line(most.substr(0, length));
}

// -- version 2: binary
// ------------------------------------------------------------------------------------------

/// CRC-32C (RFC 3309, appendix B; polynomial 0x1EDC6F41, bits reversed).
constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    auto value = byte;
    for (int bit = 0; bit < 8; ++bit)
      value = value >> 1 ^ ((value & 1) != 0 ? 0x82f63b78U : 0U);
    table[byte] = value;
  }
  return table;
}
constexpr auto crc_table = make_crc_table();

/// Of the header with the checksum's own four bytes taken as zeros.
std::uint32_t crc32c(byte_view header, std::size_t field) noexcept {
  std::uint32_t value = 0xffffffff;
  for (std::size_t i = 0; i < header.size(); ++i) {
    auto byte = i >= field && i < field + 4 ? 0U : at(header, i);
    value = value >> 8 ^ crc_table[(value ^ byte) & 0xff];
  }
  return ~value;
}

/// Walks the TLVs behind the addresses. All but the checksum are for others.
proxy_fault check_extensions(byte_view header, std::size_t from) noexcept {
  std::size_t checksum = 0; ///< where its value stands; 0: there is none
  while (from < header.size()) {
    if (header.size() - from < tlv_head_bytes) return proxy_fault::extension;
    std::size_t size = load_be16(header, from + 1);
    auto value = from + tlv_head_bytes;
    if (size > header.size() - value) return proxy_fault::extension;
    if (at(header, from) == crc32c_type) {
      if (size != 4 || checksum != 0) return proxy_fault::extension;
      checksum = value;
    }
    from = value + size;
  }
  if (checksum == 0) return proxy_fault::none;
  auto said = static_cast<std::uint32_t>(load_be16(header, checksum)) << 16 | load_be16(header, checksum + 2);
  return said == crc32c(header, checksum) ? proxy_fault::none : proxy_fault::checksum;
}

endpoint endpoint_at(byte_view header, bool v6, std::size_t address, std::size_t port) noexcept {
  sockaddr_storage from{};
  if (v6) {
    auto& to = reinterpret_cast<sockaddr_in6&>(from);
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, header.data() + address, 16);
    std::memcpy(&to.sin6_port, header.data() + port, 2);
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(from);
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, header.data() + address, 4);
    std::memcpy(&to.sin_port, header.data() + port, 2);
  }
  return from_sockaddr(from);
}

proxy_parse parse_v2(byte_view bytes) noexcept {
  if (bytes.size() <= binary_mark.size()) return {};
  auto version_and_command = at(bytes, 12);
  if (version_and_command != 0x20 && version_and_command != 0x21) return bad(proxy_fault::version);
  bool local = version_and_command == 0x20;
  if (bytes.size() <= 13) return {};
  auto family = at(bytes, 13);
  bool v6 = family == 0x21;
  bool on_unix = family == 0x31;
  bool unspecified = family == 0x00;
  // Of a LOCAL connection everything further is to be ignored, the family included. Datagrams (0x12, 0x22,
  // 0x32) cannot have come over this connection.
  if (!local && !unspecified && !v6 && !on_unix && family != 0x11) return bad(proxy_fault::family);
  if (bytes.size() < head_bytes) return {};
  auto size = head_bytes + load_be16(bytes, 14);
  auto addresses = v6 ? v6_bytes : on_unix ? unix_bytes : v4_bytes;
  bool nameless = local || unspecified;
  if (size > max_proxy_header_bytes || (!nameless && size < head_bytes + addresses))
    return bad(proxy_fault::length);
  if (bytes.size() < size) return {};
  auto header = bytes.first(size);
  proxy_parse found{proxy_status::complete, proxy_fault::none, size, {}};
  // Nobody says how long the addresses of an unknown family are, so where TLVs would begin.
  if (nameless) return found;
  if (auto wrong = check_extensions(header, head_bytes + addresses); wrong != proxy_fault::none)
    return bad(wrong);
  if (on_unix) return found;
  auto each = v6 ? std::size_t{16} : std::size_t{4};
  found.header.names_client = true;
  found.header.client = endpoint_at(header, v6, head_bytes, head_bytes + 2 * each);
  found.header.destination = endpoint_at(header, v6, head_bytes + each, head_bytes + 2 * each + 2);
  return found;
}

bool begins_like(std::string_view text, std::string_view mark) noexcept {
  auto common = std::min(text.size(), mark.size());
  return text.substr(0, common) == mark.substr(0, common);
}

} // namespace

std::string_view name_of(proxy_fault fault) noexcept {
  switch (fault) {
  case proxy_fault::none:
    return "none";
  case proxy_fault::signature:
    return "signature";
  case proxy_fault::line:
    return "line";
  case proxy_fault::address:
    return "address";
  case proxy_fault::version:
    return "version";
  case proxy_fault::family:
    return "family";
  case proxy_fault::length:
    return "length";
  case proxy_fault::extension:
    return "extension";
  case proxy_fault::checksum:
    return "checksum";
  }
  return "none";
}

proxy_parse parse_proxy_header(byte_view bytes) noexcept {
  auto text = as_text(bytes);
  if (text.empty()) return {};
  if (begins_like(text, line_mark)) return parse_v1(text);
  if (begins_like(text, binary_mark)) return parse_v2(bytes);
  return bad(proxy_fault::signature);
}

} // namespace picket::net
