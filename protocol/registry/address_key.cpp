#include "protocol/registry/address_key.hpp"

#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>

#include <arpa/inet.h>

namespace picket::protocol {

namespace {

/// Prefix length from "/24" or "/255.255.255.0"; nothing if it is neither.
std::optional<unsigned> prefix_of(std::string_view text, unsigned most) {
  if (text.find('.') != std::string_view::npos) {
    in_addr mask{};
    if (most != 32 || inet_pton(AF_INET, std::string{text}.c_str(), &mask) != 1) return std::nullopt;
    auto bits = ntohl(mask.s_addr);
    auto ones = static_cast<unsigned>(std::countl_one(bits));
    if (ones < 32 && (bits << ones) != 0) return std::nullopt;
    return ones;
  }
  unsigned value = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

void mask(unsigned char* bytes, std::size_t size, unsigned prefix) {
  for (std::size_t i = 0; i < size; ++i) {
    auto kept = prefix > i * 8 ? prefix - static_cast<unsigned>(i) * 8 : 0;
    if (kept < 8) bytes[i] = static_cast<unsigned char>(bytes[i] & (0xff00u >> kept));
  }
}

} // namespace

std::string address_key(std::string_view registered) {
  auto slash = registered.find('/');
  std::string base{registered.substr(0, slash)};
  unsigned char bytes[16] = {};
  char family = '4';
  unsigned most = 32;
  if (inet_pton(AF_INET, base.c_str(), bytes) != 1) {
    if (inet_pton(AF_INET6, base.c_str(), bytes) != 1) return {};
    family = '6';
    most = 128;
  }
  auto prefix = most;
  if (slash != std::string_view::npos) {
    auto given = prefix_of(registered.substr(slash + 1), most);
    if (!given) return {};
    prefix = *given;
  }
  std::size_t size = most / 8;
  mask(bytes, size, prefix);
  std::string key(1, family);
  key.append(reinterpret_cast<const char*>(bytes), size);
  key.push_back(static_cast<char>(prefix));
  return key;
}

bool address_contains(std::string_view registered, std::string_view peer) {
  if (registered == "any") return true;
  auto key = address_key(registered);
  if (key.empty()) return false;
  auto prefix = static_cast<unsigned char>(key.back());
  return address_key(std::string{peer} + "/" + std::to_string(prefix)) == key;
}

} // namespace picket::protocol
