#include "net/address_guard.hpp"

#include <gtest/gtest.h>

namespace picket::net {
namespace {

ip_address host(std::uint32_t number) {
  ip_address address;
  address.bytes[0] = 10;
  address.bytes[1] = static_cast<std::uint8_t>(number >> 16);
  address.bytes[2] = static_cast<std::uint8_t>(number >> 8);
  address.bytes[3] = static_cast<std::uint8_t>(number);
  return address;
}

TEST(TokenBucket, AllowsABurstAndThenTheRate) {
  token_bucket bucket;
  allowance ten{10, 20};
  int taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += bucket.take(ten, 1'000);
  EXPECT_EQ(taken, 20);
  EXPECT_FALSE(bucket.take(ten, 1'099));
  EXPECT_TRUE(bucket.take(ten, 1'100));
  EXPECT_FALSE(bucket.take(ten, 1'100));
  EXPECT_FALSE(bucket.take(ten, 900)) << "a clock that steps back gives nothing";
  taken = 0;
  for (int i = 0; i < 100; ++i)
    taken += bucket.take(ten, 60'000);
  EXPECT_EQ(taken, 20) << "never more than the burst";
  EXPECT_TRUE(bucket.take({0, 1}, 60'000)) << "no limit";
}

TEST(AddressGuard, LimitsNewConnectionsOfEachAddressAndOfAll) {
  address_guard_limits limits;
  limits.connections = {1, 2};
  limits.connections_in_all = {1, 5};
  address_guard guard{limits};
  EXPECT_FALSE(guard.on_connect(host(1), 1'000));
  EXPECT_FALSE(guard.on_connect(host(1), 1'000));
  EXPECT_EQ(guard.on_connect(host(1), 1'000), refusal::rate);
  EXPECT_FALSE(guard.on_connect(host(2), 1'000)) << "another address";
  EXPECT_FALSE(guard.on_connect(host(1), 2'000));
  EXPECT_FALSE(guard.on_connect(host(3), 2'000));
  EXPECT_FALSE(guard.on_connect(host(4), 2'000));
  EXPECT_EQ(guard.on_connect(host(5), 2'000), refusal::rate) << "all together";
}

TEST(AddressGuard, WithoutLimitsEverybodyMayAndNothingIsRemembered) {
  address_guard guard{{}};
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(guard.on_connect(host(7), 1'000));
    guard.on_failure(host(7), 1'000);
  }
  EXPECT_EQ(guard.remembered(), 0u);
}

class Penalty : public ::testing::Test {
protected:
  static address_guard_limits limits() {
    address_guard_limits wanted;
    wanted.failures = {1.0 / 60, 3};
    wanted.penalty_ms = 60'000;
    wanted.addresses = 100;
    return wanted;
  }
  void fail(std::uint32_t number, int times, std::int64_t now_ms) {
    for (int i = 0; i < times; ++i)
      guard.on_failure(host(number), now_ms);
  }
  address_guard guard{limits()};
};

TEST_F(Penalty, ComesWithTheFourthBadRecordAndEnds) {
  fail(1, 3, 1'000);
  EXPECT_FALSE(guard.on_connect(host(1), 1'000));
  fail(1, 1, 1'000);
  EXPECT_EQ(guard.on_connect(host(1), 1'000), refusal::penalty);
  EXPECT_FALSE(guard.on_connect(host(2), 1'000));
  EXPECT_EQ(guard.on_connect(host(1), 60'999), refusal::penalty);
  EXPECT_FALSE(guard.on_connect(host(1), 61'000));
}

TEST_F(Penalty, NeverMeetsAnAddressFromWhichAnAgentIsConnected) {
  guard.on_proven(host(1), 1'000);
  fail(1, 100, 2'000);
  EXPECT_FALSE(guard.on_connect(host(1), 2'000));
  const auto much_later = 2'000 + 10 * address_guard::trusted_ms;
  fail(1, 100, much_later);
  EXPECT_FALSE(guard.on_connect(host(1), much_later)) << "connected for long";
  guard.on_gone(host(1), much_later);
  fail(1, 100, much_later + 1'000);
  EXPECT_FALSE(guard.on_connect(host(1), much_later + 1'000)) << "it was there a second ago";
  const auto forgotten = much_later + address_guard::trusted_ms;
  fail(1, 100, forgotten);
  EXPECT_EQ(guard.on_connect(host(1), forgotten), refusal::penalty);
}

TEST_F(Penalty, MemoryDoesNotGrowWithTheNumberOfAddresses) {
  for (std::uint32_t i = 0; i < 100'000; ++i)
    fail(i, 1, 1'000);
  EXPECT_EQ(guard.remembered(), 100u);
  fail(7, 4, 1'000);
  for (std::uint32_t i = 1'000; i < 1'099; ++i)
    fail(i, 1, 1'000);
  EXPECT_EQ(guard.on_connect(host(7), 1'000), refusal::penalty) << "the hundredth is still known";
}

} // namespace
} // namespace picket::net
