#include "protocol/peer/messages.hpp"

#include <gtest/gtest.h>

#include "protocol/peer/testing.hpp"
#include "protocol/registry/codec.hpp"

namespace picket::protocol::peer {
namespace {

using testing::one_of_each;
using testing::view_of;

TEST(PeerMessages, EachTypeGoesThereAndBack) {
  auto all = one_of_each();
  ASSERT_EQ(all.size(), std::variant_size_v<message>);
  for (std::size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i].index(), i);
    auto bytes = encode(all[i]);
    auto read = decode(view_of(bytes));
    ASSERT_TRUE(read) << to_string(read.error());
    ASSERT_TRUE(*read) << name_of(type_of(all[i]));
    EXPECT_TRUE(**read == all[i]) << name_of(type_of(all[i]));
  }
}

TEST(PeerMessages, AnUnknownTypeOrVersionIsSkippedAndNoError) {
  for (auto bytes : {framed(1, 0, "\x80"), framed(1, 9, "\x80"), framed(1, 255, "no msgpack at all"),
                     framed(0, 2, "\x80"), framed(2, 2, "anything")}) {
    auto read = decode(view_of(bytes));
    ASSERT_TRUE(read) << to_string(read.error());
    EXPECT_FALSE(*read);
  }
}

/// The map of `what` with one more key in front and one behind.
std::string with_unknown_keys(const message& what) {
  auto body = encode_body(what);
  std::string more;
  more.push_back(static_cast<char>(body[0] + 2));
  more += std::string("\xa3new\x93\x01\xc0\xa1x", 9) + body.substr(1) + "\xa5later\x81\xa1k\xcb"
          + std::string(8, '\x40');
  return more;
}

TEST(PeerMessages, UnknownKeysArePassedOver) {
  for (const auto& one : one_of_each()) {
    auto bytes = framed(1, static_cast<std::uint8_t>(type_of(one)), with_unknown_keys(one));
    auto read = decode(view_of(bytes));
    ASSERT_TRUE(read) << to_string(read.error());
    ASSERT_TRUE(*read);
    EXPECT_TRUE(**read == one) << name_of(type_of(one));
  }
}

TEST(PeerMessages, EveryRequiredKeyIsMissed) {
  for (const auto& one : one_of_each()) {
    auto empty = framed(1, static_cast<std::uint8_t>(type_of(one)), "\x80");
    auto read = decode(view_of(empty));
    if (type_of(one) == message_type::close) {
      EXPECT_TRUE(read) << "a close says what it can";
      continue;
    }
    ASSERT_FALSE(read) << name_of(type_of(one));
    EXPECT_EQ(read.error().code, errc::corrupt);
    EXPECT_NE(to_string(read.error()).find("is missing"), std::string::npos) << to_string(read.error());
    EXPECT_EQ(read.error().where, name_of(type_of(one)));
  }
}

struct bad_case {
  const char* name;
  message what;
};
void PrintTo(const bad_case& one, std::ostream* out) { *out << one.name; }

template <class T>
message changed(void (*change)(T&)) {
  for (auto& one : one_of_each())
    if (auto* found = std::get_if<T>(&one)) {
      change(*found);
      return one;
    }
  return {};
}

class PeerMessageLimits : public ::testing::TestWithParam<bad_case> {};

TEST_P(PeerMessageLimits, AreChecked) {
  auto bytes = encode(GetParam().what);
  auto read = decode(view_of(bytes));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::corrupt);
}

INSTANTIATE_TEST_SUITE_P(
    , PeerMessageLimits,
    ::testing::Values(
        bad_case{"NoCluster", changed<hello>([](hello& h) { h.cluster.clear(); })},
        bad_case{"NoName", changed<hello>([](hello& h) { h.name.clear(); })},
        bad_case{"NodeZero", changed<hello>([](hello& h) { h.node = 0; })},
        bad_case{"RangeZero", changed<hello>([](hello& h) { h.oldest = 0; })},
        bad_case{"RangeBackwards", changed<hello>([](hello& h) { h.oldest = 4; })},
        bad_case{"NoLimit", changed<forwarded_command>([](forwarded_command& c) { c.limit_ms = 0; })},
        bad_case{"NoCommand", changed<forwarded_command>([](forwarded_command& c) { c.command.clear(); })},
        bad_case{"LargeCommand",
                 changed<forwarded_command>([](forwarded_command& c) { c.command.assign(65'537, 'x'); })},
        bad_case{"LargeResult",
                 changed<command_answer>([](command_answer& a) { a.result.assign(65'537, 'x'); })},
        bad_case{"LargeWhole", changed<part>([](part& p) { p.total = 16'777'217; })},
        bad_case{"PieceBehindTheEnd", changed<part>([](part& p) { p.offset = 99'996; })},
        bad_case{"OffsetThatWraps", changed<part>([](part& p) { p.offset = 0xffff'ffff; })},
        bad_case{"EmptyPiece", changed<part>([](part& p) { p.bytes.clear(); })},
        bad_case{"PartOfParts", changed<part>([](part& p) { p.type = 8; })}),
    [](const auto& tested) { return std::string{tested.param.name}; });

TEST(PeerMessages, WhatIsTooLongIsCutByTheWriterSoThatItReadsBack) {
  hello greeting{std::string(200, 'c'),
                 1,
                 std::string(200, 'n'),
                 {},
                 1,
                 1,
                 1,
                 std::vector<std::string>(100, std::string(200, 'w'))};
  heartbeat beat;
  beat.heard.resize(300, {1, 2});
  close end{close_cause::other, std::string(2'000, 't')};
  for (const message& one : {message{greeting}, message{beat}, message{end}}) {
    auto bytes = encode(one);
    auto read = decode(view_of(bytes));
    ASSERT_TRUE(read) << to_string(read.error());
    ASSERT_TRUE(*read);
  }
  auto bytes = encode(message{greeting});
  auto read = std::get<hello>(**decode(view_of(bytes)));
  EXPECT_EQ(read.cluster.size(), 128u);
  EXPECT_EQ(read.capabilities.size(), 64u);
}

TEST(PeerMessages, NumbersOfALaterVersionReadAsTheCautiousOne) {
  auto answer = framed(1, 4, "\x82\xa2id\x01\xa3how\x63");
  EXPECT_EQ(std::get<command_answer>(**decode(view_of(answer))).outcome, command_outcome::unknown);
  auto end = framed(1, 7,
                    "\x81\xa5"
                    "cause\x63");
  EXPECT_EQ(std::get<close>(**decode(view_of(end))).cause, close_cause::other);
}

std::string array_of(std::uint16_t count, std::string_view element) {
  std::string bytes{"\xdc"};
  bytes.push_back(static_cast<char>(count >> 8U));
  bytes.push_back(static_cast<char>(count & 0xffU));
  for (unsigned i = 0; i < count; ++i)
    bytes += element;
  return bytes;
}

TEST(PeerMessages, NestingAndCountsAreBounded) {
  auto close_with = [](const std::string& value) {
    auto bytes = framed(1, 7, "\x81\xa1u" + value);
    return decode(view_of(bytes)).has_value();
  };
  EXPECT_TRUE(close_with(std::string(7, '\x91') + "\x01"));
  EXPECT_FALSE(close_with(std::string(8, '\x91') + "\x01")) << "the map is the first of eight";
  EXPECT_TRUE(close_with(array_of(4'096, "\x01")));
  EXPECT_FALSE(close_with(array_of(4'097, "\x01")));
  auto full = array_of(4'000, "\x01");
  EXPECT_TRUE(close_with(array_of(16, full)));
  EXPECT_FALSE(close_with(array_of(17, full))) << "65536 values in all";
  EXPECT_FALSE(close_with("\xdd\xff\xff\xff\xff")) << "a count without its elements takes no memory";
  EXPECT_FALSE(close_with("\x01\x01")) << "something behind the map";
}

TEST(PeerMessages, WhatIsNoMapOrHasAKeyTwiceIsAnError) {
  for (std::string body :
       {"", "\x01", "\x90", "\xc1", "\x81\x01\x01", "\x82\xa1k\x01\xa1k\x02", "\x81\xa1k"}) {
    auto bytes = framed(1, 7, body);
    EXPECT_FALSE(decode(view_of(bytes))) << body;
  }
}

TEST(PeerMessages, TheLargestCommandFitsIntoOneFrame) {
  forwarded_command command{~0ULL, ~0U, std::string(65'536, 'x')};
  command_answer answer{~0ULL,  command_outcome::refused, ~0ULL,
                        65'535, std::string(1'024, 't'),  std::string(65'536, 'r')};
  for (const message& one : {message{command}, message{answer}}) {
    auto bytes = encode(one);
    EXPECT_LE(bytes.size(), frame_length_bytes + max_frame_bytes);
    EXPECT_TRUE(decode(view_of(bytes)));
  }
}

TEST(PeerMessages, EveryNumberHasAName) {
  for (unsigned i = 1; i <= std::variant_size_v<message>; ++i)
    EXPECT_NE(name_of(static_cast<message_type>(i)), "unknown");
  for (unsigned i = 0; i <= static_cast<unsigned>(close_cause::superseded); ++i)
    EXPECT_NE(name_of(static_cast<close_cause>(i)), "unknown");
  EXPECT_EQ(name_of(command_outcome::not_writer), "not_writer");
}

} // namespace
} // namespace picket::protocol::peer
