#include "actors/agent_session/event_rate.hpp"

#include <gtest/gtest.h>

namespace picket {
namespace {

TEST(EventRate, LetsABurstThroughAndThenSoManyASecond) {
  event_rate rate{50};
  std::int64_t now_ms = 5'000;
  int taken = 0;
  while (rate.take(now_ms) == 0)
    ++taken;
  EXPECT_EQ(taken, 500);
  auto wait_ms = rate.take(now_ms);
  EXPECT_EQ(wait_ms, 20);
  EXPECT_GT(rate.take(now_ms + wait_ms - 1), 0);
  EXPECT_EQ(rate.take(now_ms + wait_ms), 0);
  taken = 0;
  for (now_ms += 1'000; now_ms < 16'000; ++now_ms)
    if (rate.take(now_ms) == 0) ++taken;
  EXPECT_NEAR(taken, 550, 60);
}

TEST(EventRate, ZeroIsNoLimit) {
  event_rate rate{0};
  for (int i = 0; i < 100'000; ++i)
    ASSERT_EQ(rate.take(1), 0);
}

TEST(EventRate, AClockThatGoesBackGivesNothing) {
  event_rate rate{1};
  while (rate.take(10'000) == 0) {
  }
  EXPECT_GT(rate.take(1'000), 0);
  EXPECT_EQ(rate.take(2'000), 0);
}

} // namespace
} // namespace picket
