#include "protocol/registry/address_key.hpp"

#include <gtest/gtest.h>

namespace picket::protocol {
namespace {

TEST(AddressKey, EqualAddressesHaveEqualKeys) {
  EXPECT_EQ(address_key("10.1.2.3"), address_key("10.1.2.3/32"));
  EXPECT_EQ(address_key("10.1.2.9/24"), address_key("10.1.2.0/255.255.255.0"));
  EXPECT_EQ(address_key("2001:db8::1"), address_key("2001:0DB8:0000:0000:0000:0000:0000:0001/128"));
  EXPECT_NE(address_key("10.1.2.0/24"), address_key("10.1.2.0/25"));
  EXPECT_NE(address_key("10.1.2.0"), address_key("10.1.2.0/24"));
  for (auto none : {"any", "", "10.1.2", "10.1.2.3/33", "10.1.2.3/255.0.255.0", "x/1"})
    EXPECT_EQ(address_key(none), "") << none;
}

TEST(AddressKey, ContainsWhatLiesInside) {
  EXPECT_TRUE(address_contains("any", "192.0.2.1"));
  EXPECT_TRUE(address_contains("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(address_contains("10.1.2.3", "10.1.2.4"));
  EXPECT_TRUE(address_contains("10.1.2.0/24", "10.1.2.9"));
  EXPECT_FALSE(address_contains("10.1.2.0/24", "10.1.3.9"));
  EXPECT_FALSE(address_contains("10.1.2.0/24", "2001:db8::1"));
  EXPECT_TRUE(address_contains("0.0.0.0/0", "1.2.3.4"));
}

} // namespace
} // namespace picket::protocol
