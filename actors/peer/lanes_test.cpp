#include "actors/peer/lanes.hpp"

#include <random>

#include <gtest/gtest.h>

namespace picket::peer {
namespace {

using namespace protocol::peer;

message beat(std::uint64_t number) {
  heartbeat one;
  one.sequence = number;
  return one;
}
message control(std::uint64_t id, std::size_t size = 10) {
  return forwarded_command{id, 300, std::string(size, 'c')};
}
message bulk(std::uint64_t id, std::size_t size) {
  return request{id, 1, 1'000, std::string(size, static_cast<char>('a' + id % 26))};
}

/// Reads frames as the other node does.
class reader {
public:
  /// The message that this frame completes.
  std::optional<message> take(const std::string& bytes) {
    auto read = decode({static_cast<std::uint8_t>(bytes[4]), static_cast<std::uint8_t>(bytes[5]),
                        std::string_view{bytes}.substr(6)});
    EXPECT_TRUE(read && *read);
    auto* piece = std::get_if<part>(&**read);
    if (piece == nullptr) return **read;
    auto whole = parts_.take(std::move(*piece));
    EXPECT_TRUE(whole) << to_string(whole.error());
    if (!*whole) return std::nullopt;
    auto inner = decode({(*whole)->version, (*whole)->type, (*whole)->body});
    EXPECT_TRUE(inner && *inner);
    return **inner;
  }

private:
  part_reader parts_;
};

std::uint8_t type_in(const std::string& frame) { return static_cast<std::uint8_t>(frame[5]); }

TEST(PeerLanes, SendInTheirOrder) {
  lanes queue{{}};
  EXPECT_TRUE(queue.empty());
  EXPECT_FALSE(queue.next());
  ASSERT_TRUE(queue.put_bulk(bulk(1, 10)));
  ASSERT_TRUE(queue.put_control(control(2)));
  ASSERT_TRUE(queue.put_control(control(3)));
  queue.put_heartbeat(beat(4));
  EXPECT_FALSE(queue.empty());
  reader other;
  EXPECT_TRUE(*other.take(*queue.next()) == beat(4));
  EXPECT_TRUE(*other.take(*queue.next()) == control(2));
  EXPECT_TRUE(*other.take(*queue.next()) == control(3));
  EXPECT_TRUE(*other.take(*queue.next()) == bulk(1, 10));
  EXPECT_TRUE(queue.empty());
}

TEST(PeerLanes, OnlyTheNewestHeartbeatWaits) {
  lanes queue{{}};
  for (std::uint64_t i = 1; i <= 1'000; ++i)
    queue.put_heartbeat(beat(i));
  EXPECT_EQ(queue.figures(lane::heartbeat).queued_messages, 1u);
  EXPECT_LT(queue.figures(lane::heartbeat).queued_bytes, 256u);
  EXPECT_EQ(queue.figures(lane::heartbeat).replaced, 999u);
  reader other;
  EXPECT_TRUE(*other.take(*queue.next()) == beat(1'000));
  EXPECT_TRUE(queue.empty());
}

TEST(PeerLanes, NothingWaitsForMoreThanOnePieceOfALargeMessage) {
  lanes queue{{}};
  ASSERT_TRUE(queue.put_bulk(bulk(1, 5'000'000)));
  reader other;
  std::size_t between = 0;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    auto piece = *queue.next();
    EXPECT_EQ(type_in(piece), static_cast<std::uint8_t>(message_type::part));
    between = std::max(between, piece.size());
    EXPECT_FALSE(other.take(piece));
    queue.put_heartbeat(beat(i));
    ASSERT_TRUE(queue.put_control(control(i)));
    EXPECT_TRUE(*other.take(*queue.next()) == beat(i));
    EXPECT_TRUE(*other.take(*queue.next()) == control(i));
  }
  EXPECT_LE(between, 33u * 1024);
  std::optional<message> whole;
  while (!queue.empty())
    whole = other.take(*queue.next());
  EXPECT_TRUE(whole && *whole == bulk(1, 5'000'000));
}

TEST(PeerLanes, ControlIsRefusedWhenItIsFull) {
  lanes queue{{10'000, max_message_bytes}};
  std::uint64_t taken = 0;
  while (queue.put_control(control(taken, 900)))
    ++taken;
  EXPECT_EQ(taken, 10u);
  EXPECT_EQ(queue.figures(lane::control).refused, 1u);
  EXPECT_LE(queue.figures(lane::control).queued_bytes, 10'000u);
  queue.put_heartbeat(beat(1));
  EXPECT_TRUE(queue.put_bulk(bulk(1, 100))) << "the other lanes have room of their own";
  queue.next();
  queue.next();
  EXPECT_TRUE(queue.put_control(control(99, 900)));
}

TEST(PeerLanes, AControlMessageAboveAFrameIsRefused) {
  lanes queue{{}};
  EXPECT_TRUE(queue.put_control(control(1, 65'536)));
  EXPECT_FALSE(queue.put_control(bulk(1, 74'000)));
  EXPECT_TRUE(queue.put_bulk(bulk(1, 74'000)));
}

TEST(PeerLanes, BulkTellsWhenThereIsRoomAgain) {
  int told = 0;
  lanes queue{{1'000, max_message_bytes}, [&] { ++told; }};
  std::uint64_t id = 0;
  while (queue.put_bulk(bulk(id, 1'000'000)))
    ++id;
  EXPECT_EQ(id, 16u);
  EXPECT_FALSE(queue.put_bulk(bulk(id, 1'000'000)));
  EXPECT_EQ(told, 0);
  while (told == 0 && !queue.empty())
    queue.next();
  EXPECT_LE(queue.figures(lane::bulk).queued_bytes, max_message_bytes / 2);
  EXPECT_GT(queue.figures(lane::bulk).queued_bytes, max_message_bytes / 2 - 40'000);
  while (!queue.empty())
    queue.next();
  EXPECT_EQ(told, 1) << "once for each time that it was full";
}

TEST(PeerLanes, TheLargestMessageFitsAndALargerOneNever) {
  int told = 0;
  lanes queue{{}, [&] { ++told; }};
  auto largest = max_message_bytes - encode_body(bulk(1, 70'000)).size() + 70'000;
  EXPECT_TRUE(queue.put_bulk(bulk(1, largest)));
  EXPECT_FALSE(queue.put_bulk(bulk(1, largest + 1)));
  while (!queue.empty())
    queue.next();
  EXPECT_EQ(told, 0) << "no room will ever help it";
}

TEST(PeerLanes, WhatWaitsIsLostWithTheConnection) {
  lanes queue{{}};
  queue.put_heartbeat(beat(1));
  ASSERT_TRUE(queue.put_control(control(1)));
  ASSERT_TRUE(queue.put_bulk(bulk(1, 100'000)));
  ASSERT_TRUE(queue.put_bulk(bulk(2, 100'000)));
  for (int i = 0; i < 3; ++i)
    queue.next();
  queue.put_heartbeat(beat(2));
  queue.clear();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.figures(lane::heartbeat).lost, 1u);
  EXPECT_EQ(queue.figures(lane::control).lost, 0u);
  EXPECT_EQ(queue.figures(lane::bulk).lost, 2u) << "the one that was on its way too";
  EXPECT_EQ(queue.figures(lane::bulk).queued_bytes, 0u);
  ASSERT_TRUE(queue.put_bulk(bulk(3, 100'000)));
  reader other;
  std::optional<message> whole;
  while (!queue.empty())
    whole = other.take(*queue.next());
  EXPECT_TRUE(whole && *whole == bulk(3, 100'000)) << "and the next connection begins anew";
}

/// What the lanes should do, in the plainest way.
struct model {
  std::optional<std::uint64_t> beat;
  std::deque<std::pair<std::uint64_t, std::size_t>> control; ///< id, bytes of the frame
  std::deque<std::pair<std::uint64_t, std::size_t>> bulk;    ///< id, bytes of the body that are left
};

class PeerLanesModel : public ::testing::TestWithParam<unsigned> {};

TEST_P(PeerLanesModel, HoldsAgainstAnyOrderOfCalls) {
  std::mt19937 random{GetParam()};
  auto pick = [&](std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>{low, high}(random);
  };
  const lane_limits limits{50'000, max_message_bytes};
  int told = 0;
  lanes queue{limits, [&] { ++told; }};
  model expected;
  reader other;
  std::uint64_t id = 0;
  auto waiting_bytes = [](const auto& list) {
    std::size_t sum = 0;
    for (const auto& [number, bytes] : list)
      sum += bytes;
    return sum;
  };
  auto take_one = [&] {
    auto frame = queue.next();
    if (!frame) {
      ASSERT_TRUE(!expected.beat && expected.control.empty() && expected.bulk.empty());
      return;
    }
    auto whole = other.take(*frame);
    if (expected.beat) {
      ASSERT_TRUE(whole && std::get<heartbeat>(*whole).sequence == *expected.beat);
      expected.beat.reset();
    } else if (!expected.control.empty()) {
      ASSERT_TRUE(whole && std::get<forwarded_command>(*whole).id == expected.control.front().first);
      expected.control.pop_front();
    } else {
      ASSERT_FALSE(expected.bulk.empty());
      ASSERT_LE(frame->size(), 33u * 1024);
      auto& [number, left] = expected.bulk.front();
      left -= std::min(left, max_part_bytes);
      ASSERT_EQ(whole.has_value(), left == 0);
      if (whole) {
        ASSERT_EQ(std::get<request>(*whole).id, number);
        expected.bulk.pop_front();
      }
    }
  };
  for (int step = 0; step < 1'000; ++step) {
    ++id;
    switch (pick(0, 9)) {
    case 0:
    case 1:
      queue.put_heartbeat(beat(id));
      expected.beat = id;
      break;
    case 2:
    case 3: {
      auto what = control(id, pick(1, 20'000));
      auto size = encode(what).size();
      bool fits = waiting_bytes(expected.control) + size <= limits.control_bytes;
      ASSERT_EQ(queue.put_control(what), fits) << "step " << step;
      if (fits) expected.control.emplace_back(id, size);
      break;
    }
    case 4: {
      auto what = bulk(id, pick(0, 3) == 0 ? pick(1, 6'000'000) : pick(1, 100'000));
      auto size = encode_body(what).size();
      bool fits = waiting_bytes(expected.bulk) + size <= limits.bulk_bytes;
      ASSERT_EQ(queue.put_bulk(what), fits) << "step " << step;
      if (fits) expected.bulk.emplace_back(id, size);
      break;
    }
    default:
      for (std::size_t i = pick(1, 20); i > 0; --i)
        ASSERT_NO_FATAL_FAILURE(take_one()) << "step " << step;
      break;
    }
    ASSERT_EQ(queue.figures(lane::control).queued_bytes, waiting_bytes(expected.control));
    ASSERT_EQ(queue.figures(lane::bulk).queued_bytes, waiting_bytes(expected.bulk));
    ASSERT_EQ(queue.figures(lane::control).queued_messages, expected.control.size());
    ASSERT_EQ(queue.figures(lane::bulk).queued_messages, expected.bulk.size());
    ASSERT_EQ(queue.empty(), !expected.beat && expected.control.empty() && expected.bulk.empty());
  }
  while (!queue.empty())
    ASSERT_NO_FATAL_FAILURE(take_one());
}

INSTANTIATE_TEST_SUITE_P(Seeds, PeerLanesModel, ::testing::Range(1U, 9U));

} // namespace
} // namespace picket::peer
