#include "protocol/peer/frame.hpp"

#include <random>

#include <gtest/gtest.h>

#include "protocol/peer/parts.hpp"
#include "protocol/peer/testing.hpp"

namespace picket::protocol::peer {
namespace {

using testing::view_of;

struct seen_frame {
  int version;
  int type;
  std::string body;
  friend bool operator==(const seen_frame&, const seen_frame&) = default;
};

frame_cutter::taker into(std::vector<seen_frame>& to) {
  return [&to](const frame& one) {
    to.push_back({one.version, one.type, std::string{one.body}});
    return true;
  };
}

TEST(PeerFrames, AreCutWhateverThePieces) {
  auto stream = framed(1, 2, "abc") + framed(1, 9, "") + framed(3, 7, std::string(300, 'x'));
  const std::vector<seen_frame> whole{{1, 2, "abc"}, {1, 9, ""}, {3, 7, std::string(300, 'x')}};
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    frame_cutter cutter;
    std::vector<seen_frame> seen;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      ASSERT_TRUE(cutter.feed(std::string_view{stream}.substr(at, piece), into(seen)));
    EXPECT_EQ(seen, whole) << "pieces of " << piece;
    EXPECT_EQ(cutter.buffered_bytes(), 0u);
  }
}

TEST(PeerFrames, NoMoreThanOneFrameIsEverKept) {
  auto largest = framed(1, 2, std::string(max_frame_bytes - frame_head_bytes, 'x'));
  frame_cutter cutter;
  std::vector<seen_frame> seen;
  std::size_t most = 0;
  for (std::size_t round = 0; round < 3; ++round)
    for (std::size_t at = 0; at < largest.size(); at += 1'000) {
      ASSERT_TRUE(cutter.feed(std::string_view{largest}.substr(at, 1'000), into(seen)));
      most = std::max(most, cutter.buffered_bytes());
    }
  EXPECT_EQ(seen.size(), 3u);
  EXPECT_LT(most, frame_length_bytes + max_frame_bytes);
}

TEST(PeerFrames, ALengthOutOfRangeEndsIt) {
  for (std::uint32_t length : {0U, 1U, 73'729U, 0x7fff'ffffU, 0xffff'ffffU}) {
    for (std::size_t piece : {std::size_t{1}, std::size_t{100}}) {
      std::string bytes = framed(1, 2, "good");
      for (int i = 0; i < 4; ++i)
        bytes.push_back(static_cast<char>(length >> (8 * i)));
      bytes += std::string(50, 'x');
      frame_cutter cutter;
      std::vector<seen_frame> seen;
      bool failed = false;
      for (std::size_t at = 0; at < bytes.size(); at += piece)
        failed = !cutter.feed(std::string_view{bytes}.substr(at, piece), into(seen)) || failed;
      EXPECT_TRUE(failed) << length;
      EXPECT_EQ(seen.size(), 1u) << "what came before is good, and nothing behind it is";
      EXPECT_EQ(cutter.buffered_bytes(), 0u);
      EXPECT_FALSE(cutter.feed(framed(1, 2, "more"), into(seen)));
    }
  }
  frame_cutter cutter;
  std::vector<seen_frame> seen;
  EXPECT_TRUE(cutter.feed(framed(1, 2, std::string(73'726, 'x')), into(seen))) << "the largest";
  EXPECT_EQ(seen.size(), 1u);
}

TEST(PeerFrames, ATakerThatWantsNoMoreGetsNoMore) {
  auto stream = framed(1, 1, "a") + framed(1, 7, "b") + framed(1, 2, "c");
  for (std::size_t piece : {std::size_t{1}, stream.size()}) {
    frame_cutter cutter;
    std::string seen;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      auto fed = cutter.feed(std::string_view{stream}.substr(at, piece), [&](const frame& one) {
        seen += one.body;
        return one.type != 7;
      });
      ASSERT_TRUE(fed);
    }
    EXPECT_EQ(seen, "ab");
    EXPECT_FALSE(*cutter.feed(stream, [](const frame&) { return true; }));
  }
}

std::string some_bytes(std::size_t size) {
  std::mt19937 random{7};
  std::string bytes(size, '\0');
  for (auto& one : bytes)
    one = static_cast<char>(random());
  return bytes;
}

std::vector<part> parts_of(std::uint64_t number, const std::string& body) {
  part_writer writer{number, 5, body};
  std::vector<part> parts;
  while (writer.more()) {
    auto bytes = writer.next();
    EXPECT_LE(bytes.size(), max_part_bytes + 128);
    parts.push_back(std::get<part>(**decode(view_of(bytes))));
  }
  return parts;
}

TEST(PeerParts, AMessageOfEverySizeComesTogether) {
  part_reader reader;
  std::uint64_t number = 0;
  for (std::size_t size : {std::size_t{1}, max_part_bytes - 1, max_part_bytes, max_part_bytes + 1,
                           10 * max_part_bytes, std::size_t{1'000'003}, max_message_bytes}) {
    auto body = some_bytes(size);
    auto parts = parts_of(++number, body);
    EXPECT_EQ(parts.size(), (size + max_part_bytes - 1) / max_part_bytes);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      auto whole = reader.take(std::move(parts[i]));
      ASSERT_TRUE(whole) << to_string(whole.error());
      ASSERT_EQ(whole->has_value(), i + 1 == parts.size());
      if (*whole) {
        EXPECT_EQ((*whole)->type, 5);
        EXPECT_TRUE((*whole)->body == body) << size;
      }
    }
    EXPECT_EQ(reader.buffered_bytes(), 0u);
  }
}

TEST(PeerParts, APieceThatDoesNotFollowIsAnError) {
  auto first = [] { return parts_of(4, std::string(3 * max_part_bytes, 'x')); };
  auto after_two = [&](part third) {
    part_reader reader;
    EXPECT_TRUE(reader.take(first().at(0)));
    EXPECT_TRUE(reader.take(first().at(1)));
    return reader.take(std::move(third)).has_value();
  };
  auto third = first().at(2);
  EXPECT_TRUE(after_two(third));
  auto spoil = [&](auto change) {
    auto other = third;
    change(other);
    return after_two(other);
  };
  EXPECT_FALSE(spoil([](part& p) { p.message = 5; }));
  EXPECT_FALSE(spoil([](part& p) { p.total += 1; }));
  EXPECT_FALSE(spoil([](part& p) { p.type = 6; }));
  EXPECT_FALSE(spoil([](part& p) { p.version = 2; }));
  EXPECT_FALSE(spoil([](part& p) { p.offset -= 1; }));
  EXPECT_FALSE(spoil([](part& p) { p.offset += 1; }));
  EXPECT_FALSE(spoil([](part& p) { p.bytes.push_back('x'); }));

  part_reader reader;
  EXPECT_FALSE(reader.take(first().at(1))) << "without its beginning";
  part_reader again;
  for (auto& one : first())
    ASSERT_TRUE(again.take(std::move(one)));
  EXPECT_FALSE(again.take(first().at(0))) << "a number that was used";
}

} // namespace
} // namespace picket::protocol::peer
