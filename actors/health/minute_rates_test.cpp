#include "actors/health/minute_rates.hpp"

#include <gtest/gtest.h>

namespace picket {
namespace {

TEST(MinuteRates, CoverTheLastMinuteOnly) {
  minute_rates rates;
  EXPECT_EQ(rates.growth(0), 0);
  EXPECT_EQ(rates.per_second(0), 0);
  double value = 1'000;
  for (int second = 0; second <= 300; ++second) {
    rates.sample(5'000 + second * 1'000, {value, 7});
    value += second < 200 ? 100 : 10;
  }
  EXPECT_EQ(rates.covered_ms(), 60'000);
  EXPECT_DOUBLE_EQ(rates.growth(0), 600);
  EXPECT_DOUBLE_EQ(rates.per_second(0), 10);
  EXPECT_EQ(rates.growth(1), 0);
  EXPECT_EQ(rates.growth(2), 0) << "there is no such counter";
}

TEST(MinuteRates, AreTrueFromTheSecondSampleOn) {
  minute_rates rates;
  rates.sample(1'000, {50});
  EXPECT_EQ(rates.growth(0), 0) << "what was counted before the first look is not of this minute";
  rates.sample(3'000, {70});
  EXPECT_DOUBLE_EQ(rates.growth(0), 20);
  EXPECT_DOUBLE_EQ(rates.per_second(0), 10);
}

TEST(MinuteRates, AreBoundedHoweverOftenTheyAreFed) {
  minute_rates rates;
  for (int i = 0; i <= 200'000; ++i)
    rates.sample(i, {static_cast<double>(i)});
  EXPECT_LE(rates.samples(), 62u);
  EXPECT_NEAR(rates.growth(0), 60'000, 1'000);
  EXPECT_NEAR(rates.per_second(0), 1'000, 1);
}

TEST(MinuteRates, BehindAGapSayOverWhatTheyAre) {
  minute_rates rates;
  rates.sample(0, {0});
  rates.sample(1'000, {10});
  rates.sample(601'000, {610}); // the process was frozen for ten minutes
  EXPECT_EQ(rates.covered_ms(), 600'000);
  EXPECT_DOUBLE_EQ(rates.per_second(0), 1);
  rates.sample(602'000, {710});
  EXPECT_EQ(rates.covered_ms(), 601'000) << "nothing is known of the time in between";
  for (int i = 1; i <= 60; ++i)
    rates.sample(602'000 + i * 1'000, {710});
  EXPECT_EQ(rates.covered_ms(), 60'000);
  EXPECT_EQ(rates.growth(0), 0);
}

TEST(MinuteRates, IgnoreATimeThatGoesBack) {
  minute_rates rates;
  rates.sample(10'000, {1});
  rates.sample(11'000, {2});
  rates.sample(5'000, {100});
  EXPECT_DOUBLE_EQ(rates.growth(0), 1);
}

} // namespace
} // namespace picket
