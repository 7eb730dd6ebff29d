#include "engine/match/address.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

bool matches(const char* range, const char* address) {
  const auto parsed = parse_address_range(range);
  const auto value = parse_address(address);
  return parsed && value && parsed->contains(*value);
}

TEST(Address, MatchesAddressPrefixAndNetmask) {
  EXPECT_TRUE(matches("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(matches("10.0.0.1", "10.0.0.2"));
  EXPECT_TRUE(matches("10.0.0.0/8", "10.9.9.9"));
  EXPECT_FALSE(matches("10.0.0.0/8", "11.0.0.0"));
  EXPECT_TRUE(matches("10.0.0.0/255.255.0.0", "10.0.3.4"));
  EXPECT_FALSE(matches("10.0.0.0/255.255.0.0", "10.1.3.4"));
  EXPECT_TRUE(matches("0.0.0.0/0", "255.1.2.3"));
  EXPECT_TRUE(matches("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(matches("2001:db8::/33", "2001:db8:8000::1"));
}

TEST(Address, KeepsTheFamiliesApartExceptForAny) {
  EXPECT_FALSE(matches("::1", "10.0.0.1"));
  EXPECT_FALSE(matches("::/0", "10.0.0.1"));
  EXPECT_FALSE(matches("0.0.0.0/0", "::1"));
  EXPECT_TRUE(matches("any", "10.0.0.1"));
  EXPECT_TRUE(matches("any", "::1"));
}

TEST(Address, RefusesOtherTexts) {
  for (const auto* text : {"", "300.1.1.1", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/255.0", "host",
                           "::1/129", "1.2.3.4/::1", "ANY", "1.2.3.4 "})
    EXPECT_FALSE(parse_address_range(text)) << text;
  EXPECT_FALSE(parse_address(std::string_view{"1.2.3.4\0", 8}));
}

} // namespace
} // namespace picket::engine
