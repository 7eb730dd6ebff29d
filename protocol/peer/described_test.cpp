// A peer written from docs/peer-protocol.md alone: its bytes stand here by hand, and it reads ours with a
// reader of its own. Nothing of the encoder or decoder is used on its side.

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "protocol/peer/frame.hpp"
#include "protocol/peer/messages.hpp"
#include "protocol/peer/testing.hpp"

namespace picket::protocol::peer {
namespace {

/// Hex with spaces.
std::string bytes_of(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << text;
  return bytes ? std::string{as_text(*bytes)} : std::string{};
}

/// What this program reads of the other peer's bytes.
std::vector<message> read_by_us(const std::string& bytes) {
  frame_cutter cutter;
  std::vector<message> seen;
  auto fed = cutter.feed(bytes, [&](const frame& one) {
    auto read = decode(one);
    EXPECT_TRUE(read) << to_string(read.error());
    if (read && *read) seen.push_back(**read);
    return true;
  });
  EXPECT_TRUE(fed);
  EXPECT_EQ(cutter.buffered_bytes(), 0u);
  return seen;
}

TEST(PeerDescription, TheExampleOfThePage) {
  auto seen = read_by_us(bytes_of("10 00 00 00  01  07  82 a5 63 61 75 73 65 01  a4 74 65 78 74 a0"));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(std::get<close>(seen[0]), (close{close_cause::leaving, ""}));
}

TEST(PeerDescription, AHelloWithIntegersOfEverySizeAndKeysOutOfOrder) {
  auto seen = read_by_us(bytes_of("49 00 00 00  01  01  88"
                                  "a4 626f6f74  ce 00000009"        // boot: u32 form of 9
                                  "a4 6e6f6465  cd 0102"            // node: 258
                                  "a4 6e616d65  d9 02 6e31"         // name: str8 "n1"
                                  "a7 636c7573746572  c4 03 633161" // cluster: bin8 "c1a"
                                  "a6 6f6c64657374  01"             // oldest
                                  "a6 6e6577657374  cc 02"          // newest: u8 form of 2
                                  "a3 63616e  91 a4 6c656e64"       // can: ["lend"]
                                  "a1 7a  c3"));                    // z: an unknown key
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(std::get<hello>(seen[0]), (hello{"c1a", 258, "n1", "", 1, 2, 9, {"lend"}}));
}

TEST(PeerDescription, AHeartbeatAndATypeFromTheFuture) {
  auto seen = read_by_us(bytes_of("03 00 00 00  01  2a  80" // type 42
                                  "03 00 00 00  07  02  80" // a heartbeat of version 7
                                  "4e 00 00 00  01  02  88"
                                  "a3 736571  cf 0000000100000000"       // seq: 2^32
                                  "a4 626f6f74  05"                      // boot
                                  "a4 73656e74  d1 fff6"                 // sent: i16 -10
                                  "a4 77616c6c  d3 0000018bcfe56800"     // wall
                                  "a7 636f6e74726f6c  c3"                // control: true
                                  "a6 696e67657374  c2"                  // ingest: false
                                  "a3 726576  2a"                        // rev: 42
                                  "a4 68656172  91 93 03 cc c8 a1 78")); // hear: [[3, 200, "x"]]
  ASSERT_EQ(seen.size(), 1u);
  heartbeat expected;
  expected.sequence = 1ULL << 32U;
  expected.boot = 5;
  expected.steady_ms = -10;
  expected.wall_ms = 0x18bcfe56800;
  expected.ready_control = true;
  expected.registry_revision = 42;
  expected.heard = {{3, 200}};
  EXPECT_EQ(std::get<heartbeat>(seen[0]), expected);
}

TEST(PeerDescription, CommandsRequestsAndTheirAnswers) {
  auto seen = read_by_us(bytes_of(
      "1d 00 00 00  01  03  83 a2 6964 07  a5 6c696d6974 cd 012c  a7 636f6d6d616e64 c4 03 96a100"
      "1b 00 00 00  01  04  84 a2 6964 07  a3 686f77 00  a3 726576 09  a6 726573756c74 c4 01 ff"
      "1b 00 00 00  01  05  84 a2 6964 01  a4 6b696e64 15  a5 6c696d6974 64  a4 626f6479 c4 00"
      "1e 00 00 00  01  06  84 a2 6964 01  a4 636f6465 6a  a4 74657874 a4 66756c6c  a4 626f6479 c4 00"));
  ASSERT_EQ(seen.size(), 4u);
  EXPECT_EQ(std::get<forwarded_command>(seen[0]), (forwarded_command{7, 300, std::string("\x96\xa1\0", 3)}));
  EXPECT_EQ(std::get<command_answer>(seen[1]), (command_answer{7, command_outcome::done, 9, 0, "", "\xff"}));
  EXPECT_EQ(std::get<request>(seen[2]), (request{1, 21, 100, ""}));
  EXPECT_EQ(std::get<response>(seen[3]), (response{1, 106, "full", ""}));
}

TEST(PeerDescription, APart) {
  auto seen = read_by_us(bytes_of("25 00 00 00  01  08  86 a3 6d7367 02  a2 6174 04  a2 6f66 06"
                                  "a3 766572 01  a4 74797065 05  a5 6279746573 c4 02 6f6b"));
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(std::get<part>(seen[0]), (part{2, 4, 6, 1, 5, "ok"}));
}

/// The other peer's reader: as much of msgpack as the page needs, values as text.
class their_reader {
public:
  explicit their_reader(std::string bytes)
      : bytes_{std::move(bytes)} {}

  std::string value() {
    auto head = take(1)[0] & 0xffU;
    if (head < 0x80) return std::to_string(head);
    if (head < 0x90) return map(head & 0x0fU);
    if (head < 0xa0) return array(head & 0x0fU);
    if (head < 0xc0) return "'" + take(head & 0x1fU) + "'";
    switch (head) {
    case 0xc2:
      return "false";
    case 0xc3:
      return "true";
    case 0xc4:
      return "'" + take(number(1)) + "'";
    case 0xcc:
      return std::to_string(number(1));
    case 0xcd:
      return std::to_string(number(2));
    case 0xce:
      return std::to_string(number(4));
    case 0xcf:
      return std::to_string(number(8));
    default:
      ADD_FAILURE() << "a form that the page does not lead to expect: " << head;
      return {};
    }
  }
  bool at_end() const { return at_ == bytes_.size(); }

private:
  std::string take(std::size_t count) {
    auto part = bytes_.substr(at_, count);
    EXPECT_EQ(part.size(), count);
    at_ += count;
    return part;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (char c : take(size))
      value = value << 8U | static_cast<unsigned char>(c);
    return value;
  }
  std::string array(unsigned count) {
    std::string text = "[";
    for (unsigned i = 0; i < count; ++i)
      text += (i == 0 ? "" : ",") + value();
    return text + "]";
  }
  std::string map(unsigned count) {
    std::map<std::string, std::string> sorted;
    for (unsigned i = 0; i < count; ++i) {
      auto key = value();
      sorted[key] = value();
    }
    std::string text = "{";
    for (const auto& [key, held] : sorted)
      text.append(text.size() == 1 ? "" : " ").append(key).append(":").append(held);
    return text + "}";
  }

  std::string bytes_;
  std::size_t at_ = 0;
};

TEST(PeerDescription, WhatWeWriteIsWhatThePageSays) {
  const char* expected[] = {
      "1 {'boot':12 'can':['lend','zstd'] 'cluster':'c-1f' 'name':'node-a' 'newest':3 'node':7 'oldest':1 "
      "'version':'0.9.1'}",
      "2 {'boot':12 'control':true 'drain':true 'free':3 'hear':[[1,0],[2,199],[4000000000,2700]] "
      "'ingest':true 'load':875 'rev':4711 'sent':987654 'seq':1099511627776 'version':'0.9.1' 'view':19 "
      "'wall':1700000000123}",
      "3 {'command':'\x96.\xff' 'id':5 'limit':300}",
      "4 {'code':512 'how':1 'id':6 'result':'.r' 'rev':77 'text':'Duplicate name'}",
      "5 {'body':'body.' 'id':8 'kind':21 'limit':4000}",
      "6 {'body':'rest' 'code':106 'id':9 'text':'full'}",
      "7 {'cause':6 'text':'the other one is kept'}",
      "8 {'at':32768 'bytes':'piece' 'msg':3 'of':100000 'type':5 'ver':1}"};
  auto all = testing::one_of_each();
  ASSERT_EQ(all.size(), std::size(expected));
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto bytes = encode(all[i]);
    ASSERT_GT(bytes.size(), 6u);
    std::size_t length = 0;
    for (int at = 3; at >= 0; --at)
      length = length * 256 + static_cast<unsigned char>(bytes[static_cast<std::size_t>(at)]);
    EXPECT_EQ(length + 4, bytes.size());
    EXPECT_EQ(bytes[4], 1) << "version";
    their_reader reader{bytes.substr(6)};
    auto text = std::to_string(static_cast<int>(bytes[5])) + " " + reader.value();
    EXPECT_TRUE(reader.at_end());
    std::replace(text.begin(), text.end(), '\0', '.');
    EXPECT_EQ(text, expected[i]);
  }
}

} // namespace
} // namespace picket::protocol::peer
