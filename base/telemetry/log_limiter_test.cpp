#include "base/telemetry/log_limiter.hpp"

#include <gtest/gtest.h>

namespace picket {
namespace {

constexpr std::size_t refused = 3;
constexpr std::size_t failed = 4;

log_limits small() {
  log_limits limits;
  limits.event_burst = 10;
  limits.event_per_second = 2;
  limits.source_burst = 3;
  limits.source_per_second = 0.5;
  limits.sources_max = 4;
  limits.tell_interval_ms = 10'000;
  return limits;
}

class LogLimiter : public ::testing::Test {
protected:
  int admitted(std::size_t event, std::string_view source, int lines) {
    int count = 0;
    for (int i = 0; i < lines; ++i)
      count += limiter.admit(event, source, now_ms) ? 1 : 0;
    return count;
  }

  std::int64_t now_ms = 1'000'000;
  log_limiter limiter{8, small()};
};

TEST_F(LogLimiter, ABurstAndThenSoManyASecond) {
  EXPECT_EQ(admitted(refused, "", 50), 10);
  EXPECT_EQ(limiter.held_back(), 40u);
  now_ms += 400;
  EXPECT_EQ(admitted(refused, "", 5), 0);
  now_ms += 100;
  EXPECT_EQ(admitted(refused, "", 5), 1);
  now_ms += 3'600'000;
  EXPECT_EQ(admitted(refused, "", 50), 10) << "quiet times are not saved up beyond the burst";
}

TEST_F(LogLimiter, EventsDoNotTakeEachOthersLines) {
  EXPECT_EQ(admitted(refused, "", 1'000), 10);
  EXPECT_EQ(admitted(failed, "", 5), 5);
}

TEST_F(LogLimiter, ALoudSourceDoesNotTakeThoseOfTheOthers) {
  EXPECT_EQ(admitted(refused, "192.0.2.1", 1'000), 3);
  EXPECT_EQ(admitted(refused, "192.0.2.2", 2), 2);
  EXPECT_EQ(admitted(failed, "192.0.2.1", 2), 2) << "each event by itself";
  now_ms += 2'000;
  EXPECT_EQ(admitted(refused, "192.0.2.1", 1'000), 1);
}

TEST_F(LogLimiter, SourcesAreBoundedAndForgotten) {
  for (int i = 0; i < 100; ++i)
    limiter.admit(refused, "192.0.2." + std::to_string(i), now_ms);
  EXPECT_EQ(limiter.sources(), 4u);
  EXPECT_EQ(limiter.held_back(), 90u) << "many sources together are held by the bucket of the event";
  now_ms += 60'000;
  EXPECT_EQ(admitted(refused, "198.51.100.1", 5), 3) << "quiet ones made room";
  EXPECT_EQ(limiter.sources(), 1u);
}

TEST_F(LogLimiter, WhatWasHeldBackIsToldOnceAndInTime) {
  admitted(refused, "", 25);
  auto began_ms = now_ms;
  now_ms += 9'999;
  EXPECT_TRUE(limiter.take_due(now_ms).empty());
  now_ms += 1;
  auto told = limiter.take_due(now_ms);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].event, refused);
  EXPECT_EQ(told[0].lines, 15u);
  EXPECT_EQ(told[0].since_ms, began_ms);
  EXPECT_TRUE(limiter.take_due(now_ms + 100'000).empty());
}

TEST_F(LogLimiter, TheLatestErrorIsGivenBackUnlessANewerOneWasWritten) {
  admitted(failed, "", 10);
  EXPECT_FALSE(limiter.admit(failed, "", now_ms));
  limiter.keep(failed, "first");
  EXPECT_FALSE(limiter.admit(failed, "", now_ms));
  limiter.keep(failed, "second");
  now_ms += 10'000;
  auto told = limiter.take_due(now_ms);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].last, "second");
  EXPECT_EQ(told[0].lines, 2u);

  admitted(failed, "", 10);
  EXPECT_FALSE(limiter.admit(failed, "", now_ms));
  limiter.keep(failed, "third");
  now_ms += 5'000;
  EXPECT_TRUE(limiter.admit(failed, "", now_ms));
  now_ms += 5'000;
  told = limiter.take_due(now_ms);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].last, "") << "a later line was written";
}

TEST_F(LogLimiter, AtTheEndEverythingIsTold) {
  admitted(refused, "", 11);
  now_ms += 5'000;
  admitted(failed, "", 12);
  auto told = limiter.take_all();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].lines + told[1].lines, 3u);
  EXPECT_TRUE(limiter.take_all().empty());
}

TEST_F(LogLimiter, AClockThatStandsStillOrGoesBackGivesNothing) {
  EXPECT_EQ(admitted(refused, "", 10), 10);
  now_ms -= 5'000;
  EXPECT_EQ(admitted(refused, "", 10), 0);
}

} // namespace
} // namespace picket
