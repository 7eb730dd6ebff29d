#include "net/limits.hpp"

#include <set>

#include <gtest/gtest.h>

namespace picket::net {
namespace {

using verdict = connection_limits::verdict;

TEST(Limits, CountInAllAndPerAddress) {
  connection_limits limits{3, 2};
  auto a = *parse_ip("10.0.0.1");
  auto b = *parse_ip("10.0.0.2");
  EXPECT_EQ(limits.take(a), verdict::taken);
  EXPECT_EQ(limits.take(a), verdict::taken);
  EXPECT_EQ(limits.take(a), verdict::too_many_from_address);
  EXPECT_EQ(limits.take(b), verdict::taken);
  EXPECT_EQ(limits.take(b), verdict::too_many);
  limits.give_back(a);
  EXPECT_EQ(limits.take(b), verdict::taken);
  EXPECT_EQ(limits.open(), 3u);
}

TEST(Limits, AnExchangeOfPlacesHasABoundToo) {
  connection_limits limits{1, 0};
  auto a = *parse_ip("10.0.0.1");
  ASSERT_EQ(limits.take(a), verdict::taken);
  EXPECT_EQ(limits.take(a), verdict::too_many);
  for (std::size_t i = 0; i < connection_limits::in_exchange_max; ++i)
    ASSERT_EQ(limits.take(a, true), verdict::taken) << i;
  EXPECT_EQ(limits.take(a, true), verdict::too_many);
}

TEST(Limits, OneNetworkOfIpv6CountsAsOneAddress) {
  connection_limits limits{10, 1};
  EXPECT_EQ(limits.take(*parse_ip("2001:db8:0:1::1")), verdict::taken);
  EXPECT_EQ(limits.take(*parse_ip("2001:db8:0:1:ffff::2")), verdict::too_many_from_address);
  EXPECT_EQ(limits.take(*parse_ip("2001:db8:0:2::1")), verdict::taken);
  limits.give_back(*parse_ip("2001:db8:0:1::1"));
  EXPECT_EQ(limits.take(*parse_ip("2001:db8:0:1:ffff::2")), verdict::taken);
  EXPECT_EQ(limits.take(*parse_ip("10.0.0.1")), verdict::taken);
  EXPECT_EQ(limits.take(*parse_ip("10.0.0.2")), verdict::taken) << "of IPv4 each is its own";
}

TEST(Refusals, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < refusal_count; ++i)
    names.insert(name_of(static_cast<refusal>(i)));
  EXPECT_EQ(names.size(), refusal_count);
}

} // namespace
} // namespace picket::net
