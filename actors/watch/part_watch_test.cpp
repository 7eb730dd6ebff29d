#include "actors/watch/part_watch.hpp"

#include <stdexcept>

#include <caf/event_based_actor.hpp>

#include "actors/testing/deterministic.hpp"

namespace picket {
namespace {

caf::behavior fragile(caf::event_based_actor*) {
  return {[](int) { throw std::runtime_error{"a defect"}; }};
}

class PartWatch : public testing::deterministic_actors {
protected:
  int failures = 0;
  std::shared_ptr<part_watch> watching =
      std::make_shared<part_watch>(event_log::silent(), [this] { ++failures; });
};

TEST_F(PartWatch, SaysOnceThatAPartHasEnded) {
  auto one = spawn(fragile);
  auto other = spawn(fragile);
  watch(watching, one, "one");
  watch(watching, other, "other");
  EXPECT_FALSE(watching->failed());
  tell(one, 1);
  EXPECT_TRUE(watching->failed());
  tell(other, 1);
  EXPECT_EQ(failures, 1);
}

TEST_F(PartWatch, NoticesAPartThatHadEndedBefore) {
  auto one = spawn(fragile);
  tell(one, 1);
  watch(watching, one, "one");
  EXPECT_EQ(failures, 1);
}

TEST_F(PartWatch, TakesTheEndOfANodeThatStopsForWhatItIs) {
  auto one = spawn(fragile);
  watch(watching, one, "one");
  watching->expect_the_end();
  tell(one, 1);
  EXPECT_FALSE(watching->failed());
  EXPECT_EQ(failures, 0);
}

} // namespace
} // namespace picket
