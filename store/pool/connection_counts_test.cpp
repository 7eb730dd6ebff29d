#include "store/pool/connection_counts.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"

namespace picket::store {
namespace {

TEST(ConnectionCounts, AreThereAfterAKillAndOneStartLater) {
  testing::scratch_directory dir;
  auto file = dir.path() / "connections";
  auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto counts = connection_counts::open(file, 8, 3);
    auto a = (*counts)->begin(5, 100);
    auto b = (*counts)->begin(6, 101);
    (*counts)->set(*a, 41);
    (*counts)->set(*a, 42);
    (*counts)->end(*b);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  auto check = [](const result<std::vector<connection_counts::row>>& rows) {
    ASSERT_TRUE(rows) << to_string(rows.error());
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ(rows->front().agent, 5u);
    EXPECT_EQ(rows->front().boot, 3u);
    EXPECT_EQ(rows->front().connection, 100u);
    EXPECT_EQ(rows->front().records, 42u);
  };
  check(connection_counts::read(file));
  auto again = connection_counts::open(file, 8, 4);
  ASSERT_TRUE(again) << to_string(again.error());
  check(connection_counts::read(dir.path() / "connections.previous"));
  EXPECT_TRUE(connection_counts::read(file)->empty());
}

TEST(ConnectionCounts, AreBounded) {
  testing::scratch_directory dir;
  auto counts = connection_counts::open(dir.path() / "connections", 2, 1);
  ASSERT_TRUE(counts);
  auto first = (*counts)->begin(1, 1);
  ASSERT_TRUE(first);
  ASSERT_TRUE((*counts)->begin(2, 2));
  EXPECT_FALSE((*counts)->begin(3, 3));
  (*counts)->end(*first);
  EXPECT_TRUE((*counts)->begin(3, 3));
}

TEST(ConnectionCounts, AnotherFileIsRefused) {
  testing::scratch_directory dir;
  EXPECT_FALSE(connection_counts::read(dir.path() / "none"));
  auto* out = std::fopen((dir.path() / "other").c_str(), "w");
  std::fputs("something else that is long enough for a header", out);
  std::fclose(out);
  auto read = connection_counts::read(dir.path() / "other");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, errc::corrupt);
}

} // namespace
} // namespace picket::store
