#include "net/proxy_protocol.hpp"

#include <random>

#include <gtest/gtest.h>

namespace picket::net {
namespace {

using namespace std::string_literals;

const std::string mark = "\r\n\r\n\0\r\nQUIT\n"s;
/// 198.51.100.7:40000 to 192.0.2.10:1514.
const std::string v4_addresses = "\xc6\x33\x64\x07\xc0\x00\x02\x0a\x9c\x40\x05\xea"s;
/// 2001:db8::7 and 2001:db8::a, the same ports.
const std::string v6_addresses = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                 "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0a"
                                 "\x9c\x40\x05\xea"s;

std::string v2(int version_and_command, int family, const std::string& rest) {
  auto text = mark + static_cast<char>(version_and_command) + static_cast<char>(family);
  text += static_cast<char>(rest.size() >> 8);
  return text + static_cast<char>(rest.size() & 0xff) + rest;
}

std::string tlv(int type, const std::string& value) {
  std::string text(1, static_cast<char>(type));
  text += static_cast<char>(value.size() >> 8);
  return text + static_cast<char>(value.size() & 0xff) + value;
}

proxy_parse parse(const std::string& text) { return parse_proxy_header(as_bytes(text)); }

std::string told(const proxy_parse& found) {
  if (found.status == proxy_status::incomplete) return "incomplete";
  if (found.status == proxy_status::bad) return std::string{name_of(found.fault)};
  if (!found.header.names_client) return "nobody";
  return to_string(found.header.client) + " to " + to_string(found.header.destination);
}

std::string told(const std::string& text) { return told(parse(text)); }

struct example {
  const char* name;
  std::string bytes;
  std::string says;
};

std::ostream& operator<<(std::ostream& out, const example& one) { return out << one.name; }

class GoodHeaders : public ::testing::TestWithParam<example> {};

TEST_P(GoodHeaders, AreReadToTheirEndAndNoFurther) {
  const auto& one = GetParam();
  EXPECT_EQ(told(one.bytes), one.says);
  EXPECT_EQ(parse(one.bytes).consumed, one.bytes.size());
  for (auto behind : {"\x05"s, "\0\0\0#ping"s, "\x16\x03\x01"s, "PROXY UNKNOWN\r\n"s}) {
    EXPECT_EQ(told(one.bytes + behind), one.says);
    EXPECT_EQ(parse(one.bytes + behind).consumed, one.bytes.size());
  }
  for (std::size_t size = 0; size < one.bytes.size(); ++size)
    EXPECT_EQ(told(one.bytes.substr(0, size)), "incomplete") << size;
}

const std::string longest_line = "PROXY UNKNOWN " + std::string(max_proxy_line_bytes - 16, 'f') + "\r\n";

INSTANTIATE_TEST_SUITE_P(
    , GoodHeaders,
    ::testing::Values(
        example{"V1Tcp4", "PROXY TCP4 198.51.100.7 192.0.2.10 40000 1514\r\n",
                "198.51.100.7:40000 to 192.0.2.10:1514"},
        example{"V1Tcp6", "PROXY TCP6 2001:db8::7 2001:DB8::A 40000 1514\r\n",
                "[2001:db8::7]:40000 to [2001:db8::a]:1514"},
        example{"V1Tcp6LongestAddresses",
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe "
                "65535 65535\r\n",
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 to "
                "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:65535"},
        example{"V1MappedIsIpv4", "PROXY TCP6 ::ffff:198.51.100.7 ::ffff:192.0.2.10 1 0\r\n",
                "198.51.100.7:1 to 192.0.2.10:0"},
        example{"V1Unknown", "PROXY UNKNOWN\r\n", "nobody"},
        example{"V1UnknownWithAddresses", "PROXY UNKNOWN 198.51.100.7 192.0.2.10 40000 1514\r\n", "nobody"},
        example{"V1LongestLine", longest_line, "nobody"},
        example{"V2Tcp4", v2(0x21, 0x11, v4_addresses), "198.51.100.7:40000 to 192.0.2.10:1514"},
        example{"V2Tcp6", v2(0x21, 0x21, v6_addresses), "[2001:db8::7]:40000 to [2001:db8::a]:1514"},
        example{"V2Local", v2(0x20, 0x00, ""), "nobody"},
        example{"V2LocalWithAddresses", v2(0x20, 0x11, v4_addresses), "nobody"},
        example{"V2LocalWithAnyFamily", v2(0x20, 0xff, "xyz"), "nobody"},
        example{"V2Unspecified", v2(0x21, 0x00, "whatever stands here"), "nobody"},
        example{"V2Unix", v2(0x21, 0x31, std::string(216, 'u')), "nobody"},
        example{"V2Extensions",
                v2(0x21, 0x11,
                   v4_addresses + tlv(0x02, "picket.example.org") + tlv(0x04, "") + tlv(0xea, "\1vpc")),
                "198.51.100.7:40000 to 192.0.2.10:1514"},
        example{
            "V2Longest",
            v2(0x21, 0x11, v4_addresses + tlv(0x04, std::string(max_proxy_header_bytes - 16 - 12 - 3, '\0'))),
            "198.51.100.7:40000 to 192.0.2.10:1514"}),
    [](const auto& one) { return one.param.name; });

class BadHeaders : public ::testing::TestWithParam<example> {};

TEST_P(BadHeaders, AreRefusedByTheirReasonWhateverComesBehind) {
  const auto& one = GetParam();
  EXPECT_EQ(told(one.bytes), one.says);
  EXPECT_EQ(parse(one.bytes).consumed, 0u);
  EXPECT_EQ(told(one.bytes + "\r\n"), one.says);
}

INSTANTIATE_TEST_SUITE_P(
    , BadHeaders,
    ::testing::Values(
        example{"AFrame", "\x05\0\0\0#ping"s, "signature"},
        example{"AHandshake", "\x16\x03\x01\x02"s, "signature"}, example{"LowerCase", "proxy", "signature"},
        example{"AlmostBinary", mark.substr(0, 11) + "\r", "signature"},
        example{"OnlyLineEnds", "\r\n\r\n\r", "signature"},
        example{"V1Family", "PROXY TCP5 198.51.100.7 192.0.2.10 1 2\r\n", "line"},
        example{"V1UnknownAndMore", "PROXY UNKNOWNS\r\n", "line"}, example{"V1Empty", "PROXY \r\n", "line"},
        example{"V1LineFeedAlone", "PROXY UNKNOWN\n", "line"},
        example{"V1ReturnAlone", "PROXY UNKNOWN\r\r", "line"}, example{"V1Nul", "PROXY UNKNOWN \0"s, "line"},
        example{"V1Utf8", "PROXY UNKNOWN \xc3", "line"},
        example{"V1TooLong", "PROXY UNKNOWN " + std::string(max_proxy_line_bytes - 15, 'f') + "\r\n", "line"},
        example{"V1NoEnd", "PROXY UNKNOWN " + std::string(max_proxy_line_bytes - 15, 'f'), "line"},
        example{"V1OtherFamily", "PROXY TCP4 2001:db8::7 2001:db8::a 1 2\r\n", "address"},
        example{"V1OtherFamily6", "PROXY TCP6 198.51.100.7 192.0.2.10 1 2\r\n", "address"},
        example{"V1LeadingZero", "PROXY TCP4 198.051.100.7 192.0.2.10 1 2\r\n", "address"},
        example{"V1Part", "PROXY TCP4 198.51.100 192.0.2.10 1 2\r\n", "address"},
        example{"V1NoPort", "PROXY TCP4 198.51.100.7 192.0.2.10 1\r\n", "address"},
        example{"V1PortTooLarge", "PROXY TCP4 198.51.100.7 192.0.2.10 65536 2\r\n", "address"},
        example{"V1PortZero", "PROXY TCP4 198.51.100.7 192.0.2.10 01 2\r\n", "address"},
        example{"V1PortSign", "PROXY TCP4 198.51.100.7 192.0.2.10 +1 2\r\n", "address"},
        example{"V1TwoBlanks", "PROXY TCP4  198.51.100.7 192.0.2.10 1 2\r\n", "address"},
        example{"V1BlankBehind", "PROXY TCP4 198.51.100.7 192.0.2.10 1 2 \r\n", "address"},
        example{"V1MoreBehind", "PROXY TCP4 198.51.100.7 192.0.2.10 1 2 3\r\n", "address"},
        example{"V1LongWord", "PROXY TCP4 " + std::string(60, '1') + " 192.0.2.10 1 2\r\n", "address"},
        example{"V2Version1", mark + "\x11", "version"}, example{"V2Version3", mark + "\x31", "version"},
        example{"V2Command2", mark + "\x22", "version"}, example{"V2Family", mark + "\x21\x41", "family"},
        example{"V2Datagrams", mark + "\x21\x12", "family"},
        example{"V2Datagrams6", mark + "\x21\x22", "family"},
        example{"V2NoTransport", mark + "\x21\x10", "family"},
        example{"V2ShorterThanItsAddresses", mark + "\x21\x11\0\x0b"s, "length"},
        example{"V2ShorterThanItsAddresses6", mark + "\x21\x21\0\x23"s, "length"},
        example{"V2ShorterThanItsPath", mark + "\x21\x31\0\xd7"s, "length"},
        example{"V2TooLong", mark + "\x21\x11\x07\xf1"s, "length"},
        example{"V2LocalTooLong", mark + "\x20\x00\xff\xff"s, "length"},
        example{"V2HalfAnExtension", v2(0x21, 0x11, v4_addresses + "\x04\0"s), "extension"},
        example{"V2ExtensionPastTheEnd", v2(0x21, 0x11, v4_addresses + "\x04\0\x01"s), "extension"},
        example{"V2ChecksumOfThreeBytes", v2(0x21, 0x11, v4_addresses + tlv(3, "abc")), "extension"},
        example{"V2TwoChecksums", v2(0x21, 0x11, v4_addresses + tlv(3, "abcd") + tlv(3, "abcd")),
                "extension"},
        example{"V2WrongChecksum", v2(0x21, 0x11, v4_addresses + tlv(3, "\0\0\0\0"s)), "checksum"}),
    [](const auto& one) { return one.param.name; });

/// CRC-32C bit by bit, as RFC 3309 describes it, beside the table of the parser.
std::uint32_t slow_crc32c(const std::string& text) {
  std::uint32_t value = 0xffffffff;
  for (unsigned char byte : text) {
    value ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78 : value >> 1;
  }
  return ~value;
}

TEST(ProxyChecksum, IsComparedWhereItStands) {
  ASSERT_EQ(slow_crc32c("123456789"), 0xe3069283U) << "the value that the literature gives";
  for (const auto& before : {""s, tlv(0x02, "name")}) {
    auto header = v2(0x21, 0x21, v6_addresses + before + tlv(3, "\0\0\0\0"s) + tlv(0x04, "pad"));
    auto field = 16 + v6_addresses.size() + before.size() + 3;
    auto sum = slow_crc32c(header);
    for (int i = 0; i < 4; ++i)
      header[field + static_cast<std::size_t>(i)] = static_cast<char>(sum >> (24 - 8 * i));
    EXPECT_EQ(told(header), "[2001:db8::7]:40000 to [2001:db8::a]:1514");
    for (std::size_t i = 16; i < header.size(); ++i) {
      if (i == field - 3) continue; // its type: then it is no checksum any more
      auto damaged = header;
      damaged[i] ^= 1;
      EXPECT_EQ(parse(damaged).status, proxy_status::bad) << "byte " << i;
    }
  }
}

} // namespace
} // namespace picket::net
