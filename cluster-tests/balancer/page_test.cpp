#include "cluster-tests/balancer/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::balancer {
namespace {

using ::testing::AnyOf;

TEST(Page, BlocksAreWhatStandsBetweenFences) {
  auto blocks = fenced_blocks("a\n```yaml\nb: c\n\nd: e\n```\nf\n```\n$ g\n```\n```haproxy\nnot closed\n");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[0].language, "yaml");
  EXPECT_EQ(blocks[0].text, "b: c\n\nd: e\n");
  EXPECT_EQ(blocks[1].language, "");
  EXPECT_EQ(blocks[1].text, "$ g\n");
}

TEST(Page, WhatIsToBeReplacedMustBeThere) {
  EXPECT_EQ(replaced("a b a", {{"a", "aa"}, {"b", "c"}}), "aa c aa");
  EXPECT_THROW(replaced("a", {{"b", "c"}}), std::runtime_error);
}

/// The other tests here run every block of these languages.
TEST(Page, HasNoBlockThatNobodyRuns) {
  EXPECT_EQ(page_blocks("haproxy").size(), 2u);
  EXPECT_EQ(page_blocks("nginx").size(), 1u);
  EXPECT_EQ(page_blocks("yaml").size(), 1u);
  EXPECT_EQ(page_blocks("").size(), 1u) << "what picketctl node drain prints";
  for (const auto& block : fenced_blocks(load_balancer_page()))
    EXPECT_THAT(block.language, AnyOf("haproxy", "nginx", "yaml", ""));
}

} // namespace
} // namespace picket::balancer
