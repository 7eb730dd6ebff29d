#include "engine/text/arena.hpp"
#include "engine/text/fold.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace picket::engine {
namespace {

TEST(Fold, OnlyAsciiLetters) {
  EXPECT_EQ(folded("AbZ[\xC3\x89"), "abz[\xC3\x89");
  EXPECT_TRUE(equal_fold("PreMatch", "prematch"));
  EXPECT_FALSE(equal_fold("a", "ab"));
  EXPECT_FALSE(equal_fold("[", "{"));
}

TEST(Nearest, FindsSlipsOnly) {
  constexpr std::array<std::string_view, 3> names = {"prematch", "regex", "order"};
  EXPECT_EQ(nearest("prematc", names), "prematch");
  EXPECT_EQ(nearest("REGEXP", names), "regex");
  EXPECT_EQ(nearest("odrer", names), "");
  EXPECT_EQ(nearest("description", names), "");
  EXPECT_EQ(nearest("", names), "");
}

TEST(Arena, TextsStayAndCanBeReadBeyondTheirEnd) {
  arena memory(256);
  std::vector<std::string_view> texts;
  std::vector<std::string> copies;
  for (std::size_t size = 0; size < 600; size += 7) {
    copies.push_back(std::string(size, static_cast<char>('a' + size % 26)));
    texts.push_back(memory.copy(copies.back()));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    EXPECT_EQ(texts[i], copies[i]);
    char beyond[arena::slack_bytes];
    std::memcpy(beyond, texts[i].data() + texts[i].size(), sizeof beyond); // the sanitizer would complain
  }
  EXPECT_EQ(memory.join("ab", "cd"), "abcd");
}

TEST(Arena, ResetReusesTheFirstBlock) {
  arena memory(1024);
  const char* first = memory.allocate(10);
  memory.allocate(5000);
  EXPECT_EQ(memory.used_bytes(), 5010u);
  memory.reset();
  EXPECT_EQ(memory.used_bytes(), 0u);
  EXPECT_EQ(memory.allocate(10), first);
}

TEST(Arena, ObjectsAreAligned) {
  arena memory;
  memory.allocate(1);
  auto* number = memory.make<double>();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(number) % alignof(double), 0u);
  EXPECT_EQ(*number, 0.0);
}

} // namespace
} // namespace picket::engine
