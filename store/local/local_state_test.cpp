#include "store/local/local_state.hpp"

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"

namespace picket::store {
namespace {

TEST(LocalState, CountsBootsAndKeepsItsNumber) {
  testing::scratch_directory dir;
  std::uint32_t node = 0;
  for (std::uint32_t boot = 1; boot <= 3; ++boot) {
    auto state = local_state::open(dir.path(), 1'000);
    ASSERT_TRUE(state) << to_string(state.error());
    EXPECT_EQ((*state)->boot(), boot);
    if (boot == 1) node = (*state)->node_number();
    EXPECT_EQ((*state)->node_number(), node);
    EXPECT_GT(node, 0u);
  }
}

TEST(LocalState, TheCounterFloorGrowsAlsoWithinASecondAndWhenTheClockGoesBack) {
  testing::scratch_directory dir;
  std::uint32_t last = 0;
  for (std::int64_t now_s : {1'000, 1'000, 1'000, 500, 2'000}) {
    auto state = local_state::open(dir.path(), now_s);
    ASSERT_TRUE(state);
    EXPECT_GT((*state)->counter_floor(), last);
    EXPECT_GE((*state)->counter_floor(), static_cast<std::uint32_t>(now_s) + 3);
    last = (*state)->counter_floor();
  }
}

TEST(LocalState, KeepsStatusRowsAndFirstSeenKeys) {
  testing::scratch_directory dir;
  {
    auto state = std::move(*local_state::open(dir.path(), 1));
    ASSERT_TRUE(state->put_status({{7, "seven"}, {8, "eight"}}));
    ASSERT_TRUE(state->put_status({{8, std::nullopt}}));
    ASSERT_TRUE(state->put_first_seen({"a", "b"}));
    ASSERT_TRUE(state->put_first_seen({"c", "d"}));
    ASSERT_TRUE(state->trim_first_seen(3));
  }
  auto state = std::move(*local_state::open(dir.path(), 1));
  std::string rows;
  ASSERT_TRUE(
      state->each_status([&](agent_id id, std::string_view row) { rows += to_text(id) + std::string{row}; }));
  EXPECT_EQ(rows, "007seven");
  std::string keys;
  ASSERT_TRUE(state->each_first_seen([&](std::string_view key) { keys += key; }));
  EXPECT_EQ(keys, "bcd") << "the oldest went";
}

} // namespace
} // namespace picket::store
