#include "cluster-tests/harness/proxy_header.hpp"

#include <stdexcept>

#include <arpa/inet.h>

namespace picket::harness {

namespace {

using namespace std::string_literals;

const std::string mark = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string ports = "\x9c\x40\x05\xea"s; // 40000 and 1514

bool is_v6(const std::string& client) { return client.find(':') != std::string::npos; }
std::string balancer_of(const std::string& client) { return is_v6(client) ? "2001:db8::10" : "192.0.2.10"; }

std::string binary(const std::string& address) {
  std::string bytes(is_v6(address) ? 16 : 4, '\0');
  if (inet_pton(is_v6(address) ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1)
    throw std::invalid_argument{address};
  return bytes;
}

} // namespace

std::string proxy_v1(const std::string& client) {
  return "PROXY "s + (is_v6(client) ? "TCP6 " : "TCP4 ") + client + " " + balancer_of(client)
         + " 40000 1514\r\n";
}

std::string proxy_v2(const std::string& client) {
  auto addresses = binary(client) + binary(balancer_of(client)) + ports;
  return mark + '\x21' + (is_v6(client) ? '\x21' : '\x11') + '\0' + static_cast<char>(addresses.size())
         + addresses;
}

std::string proxy_v1_unknown() { return "PROXY UNKNOWN\r\n"; }
std::string proxy_v2_local() { return mark + "\x20\0\0\0"s; }

} // namespace picket::harness
