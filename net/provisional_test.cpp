#include "net/provisional.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace picket::net {
namespace {

class Provisional : public ::testing::Test {
protected:
  using table = provisional_connections<int>;

  table::ticket enter(table& to, int key, char name) {
    return to.enter(
        key, [this, name] { ended.push_back(name); }, displaced);
  }

  std::string ended; ///< names of those that were told to go
  bool displaced = false;
};

TEST_F(Provisional, TheOldestMakesRoomForANewOne) {
  table waiting{{3, 0, 0}};
  enter(waiting, 1, 'a');
  enter(waiting, 2, 'b');
  enter(waiting, 3, 'c');
  EXPECT_FALSE(displaced);
  enter(waiting, 4, 'd');
  EXPECT_TRUE(displaced);
  enter(waiting, 5, 'e');
  EXPECT_EQ(ended, "ab");
  EXPECT_EQ(waiting.size(), 3u);
}

TEST_F(Provisional, AKeyThatIsFullMakesRoomFromItsOwn) {
  table waiting{{10, 2, 0}};
  enter(waiting, 1, 'a');
  enter(waiting, 2, 'x');
  enter(waiting, 1, 'b');
  enter(waiting, 1, 'c');
  EXPECT_EQ(ended, "a") << "the other key's is older than b and stays";
  enter(waiting, 1, 'd');
  EXPECT_EQ(ended, "ab");
  EXPECT_EQ(waiting.size(), 3u);
}

TEST_F(Provisional, WhoHasProvenHimselfStays) {
  table waiting{{2, 0, 0}};
  auto good = enter(waiting, 1, 'g');
  enter(waiting, 2, 'a');
  waiting.leave(good);
  waiting.leave(good);
  enter(waiting, 3, 'b');
  enter(waiting, 4, 'c');
  EXPECT_EQ(ended, "a");
}

TEST_F(Provisional, AFloodOfIdleOnesKeepsNobodyOut) {
  table waiting{{100, 10, 0}};
  for (int i = 0; i < 10'000; ++i) {
    enter(waiting, i % 50, 'x');
    if (i % 7 != 0) continue;
    auto good = enter(waiting, i % 50, 'g');
    waiting.leave(good);
    ASSERT_LE(waiting.size(), 100u);
  }
  EXPECT_EQ(ended.find('g'), std::string::npos);
}

TEST_F(Provisional, BytesAreCountedForAllTogether) {
  table waiting{{10, 0, 100}};
  auto a = enter(waiting, 1, 'a');
  auto b = enter(waiting, 2, 'b');
  EXPECT_TRUE(waiting.holds(a, 60));
  EXPECT_FALSE(waiting.holds(b, 50));
  EXPECT_TRUE(waiting.holds(b, 0)) << "who holds nothing does no harm";
  EXPECT_TRUE(waiting.holds(b, 40));
  EXPECT_TRUE(waiting.holds(a, 10)) << "less than before";
  EXPECT_TRUE(waiting.holds(b, 90));
  waiting.leave(b);
  EXPECT_TRUE(waiting.holds(a, 100));
  EXPECT_TRUE(waiting.holds(b, 1'000)) << "gone: nothing counts";
}

TEST_F(Provisional, EndsTheOldestWhenThePortNeedsRoom) {
  table waiting{{10, 0, 0}};
  EXPECT_FALSE(waiting.end_oldest());
  enter(waiting, 1, 'a');
  enter(waiting, 1, 'b');
  EXPECT_TRUE(waiting.end_oldest());
  EXPECT_EQ(ended, "a");
  EXPECT_EQ(waiting.size(), 1u);
}

TEST_F(Provisional, MayBeLeftFromWithinTheEnd) {
  table waiting{{1, 0, 0}};
  table::ticket first = 0;
  first = waiting.enter(
      1, [&] { waiting.leave(first); }, displaced);
  enter(waiting, 2, 'b');
  EXPECT_TRUE(displaced);
  EXPECT_EQ(waiting.size(), 1u);
}

} // namespace
} // namespace picket::net
