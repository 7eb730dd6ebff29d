#include "store/overflow/overflow.hpp"

#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"

namespace picket::store {
namespace {

class Overflow : public ::testing::Test {
protected:
  std::unique_ptr<overflow> open(std::uint64_t max_bytes = 64 << 20U, std::uint64_t keep_free = 0) {
    overflow_options options;
    options.dir = dir.path() / "overflow";
    options.max_bytes = max_bytes;
    options.keep_free_bytes = keep_free;
    options.file_bytes = 300'000;
    auto opened = overflow::open(options);
    EXPECT_TRUE(opened) << to_string(opened.error());
    return opened ? std::move(*opened) : nullptr;
  }
  static batch_ref ref(std::uint64_t sequence, std::uint32_t boot = 1) {
    batch_ref made;
    made.id = {7, boot, sequence};
    made.shard = 3;
    made.records = 2;
    made.bytes = 9;
    made.oldest_arrival_ms = 1'234;
    return made;
  }
  result<stored_ref> put(overflow& to, std::uint64_t sequence, const std::string& second = "two") {
    std::vector<pool_record> records(2);
    records[0] = {11, 5, 0, 77, as_bytes("first")};
    records[1] = {12, 6, 1, 78, as_bytes(second)};
    return to.append(ref(sequence), records);
  }
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator{dir.path() / "overflow"})
      ++count;
    return count;
  }

  testing::scratch_directory dir;
};

TEST_F(Overflow, GivesBackWhatWasPutIn) {
  auto all = open();
  auto where = put(*all, 1);
  ASSERT_TRUE(where) << to_string(where.error());
  auto back = all->load(*where);
  ASSERT_TRUE(back) << to_string(back.error());
  ASSERT_EQ(back->records.size(), 2u);
  EXPECT_EQ(back->records[0].arrival_ms, 11);
  EXPECT_EQ(back->records[0].agent, 5u);
  EXPECT_EQ(back->records[0].connection, 77u);
  EXPECT_EQ(as_text(back->records[0].bytes), "first");
  EXPECT_EQ(back->records[1].kind, 1);
  EXPECT_EQ(as_text(back->records[1].bytes), "two");
  struct stat info {};
  ASSERT_EQ(::stat((dir.path() / "overflow").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
}

TEST_F(Overflow, FilesGoWhenAllTheirBatchesAreFinished) {
  auto all = open();
  std::vector<stored_ref> refs;
  for (std::uint64_t i = 1; i <= 40; ++i)
    refs.push_back(*put(*all, i, std::string(20'000, 'x')));
  EXPECT_GT(files(), 2u);
  auto bytes = all->figures().bytes;
  for (std::size_t i = 0; i + 1 < refs.size(); ++i)
    all->finish(refs[i]);
  all->tidy();
  EXPECT_EQ(files(), 1u);
  EXPECT_LT(all->figures().bytes, bytes / 2);
  all->finish(refs.back());
  EXPECT_EQ(all->figures().batches, 0u);
}

TEST_F(Overflow, TheNextProcessFindsWhatWasNotFinishedWithItsAttempts) {
  auto child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto all = open();
    auto a = put(*all, 2);
    auto b = put(*all, 1);
    auto c = put(*all, 3);
    all->finish(*a);
    all->start(*c, 2);
    static_cast<void>(b);
    kill(getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  auto all = open();
  const auto& found = all->recovery().batches;
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].ref.id, (batch_id{7, 1, 1}));
  EXPECT_EQ(found[0].ref.attempt, 0u);
  EXPECT_EQ(found[0].ref.records, 2u);
  EXPECT_EQ(found[0].ref.oldest_arrival_ms, 1'234);
  EXPECT_EQ(found[1].ref.id.sequence, 3u);
  EXPECT_EQ(found[1].ref.attempt, 2u);
  EXPECT_EQ(as_text(all->load(found[1].where)->records[0].bytes), "first");
  // New ones go to a new file; the old one goes when it is done with.
  ASSERT_TRUE(put(*all, 4));
  EXPECT_EQ(files(), 2u);
  for (const auto& one : found)
    all->finish(one.where);
  all->tidy();
  EXPECT_EQ(files(), 1u);
}

TEST_F(Overflow, StopsAtItsLimitAndGoesOnWithRoom) {
  auto all = open(400'000);
  std::vector<stored_ref> refs;
  result<stored_ref> last;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    last = put(*all, i, std::string(20'000, 'x'));
    if (!last) break;
    refs.push_back(*last);
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, errc::overflow_full);
  EXPECT_LE(all->figures().bytes, 400'000u);
  for (const auto& one : refs)
    all->finish(one);
  all->tidy();
  EXPECT_TRUE(put(*all, 200));
}

TEST_F(Overflow, FilesAndBatchesAreBounded) {
  overflow_options few;
  few.dir = dir.path() / "overflow";
  few.keep_free_bytes = 0;
  few.max_batches = 3;
  auto all = overflow::open(few).value();
  auto first = put(*all, 1).value();
  ASSERT_TRUE(put(*all, 2));
  ASSERT_TRUE(put(*all, 3));
  EXPECT_EQ(put(*all, 4).error().code, errc::overflow_full);
  EXPECT_EQ(all->check_room(1).error().code, errc::overflow_full);
  all->finish(first);
  EXPECT_TRUE(put(*all, 4));

  few.dir = dir.path() / "other";
  few.max_batches = 1'000;
  few.max_files = 2;
  few.file_bytes = 1; // one batch in each
  all = overflow::open(few).value();
  first = put(*all, 1).value();
  ASSERT_TRUE(put(*all, 2));
  EXPECT_EQ(put(*all, 3).error().code, errc::overflow_full);
  all->finish(first);
  all->tidy();
  EXPECT_TRUE(put(*all, 3));
}

TEST_F(Overflow, LeavesRoomOnTheDisk) {
  auto all = open(64 << 20U, std::uint64_t{1} << 60U);
  auto refused = put(*all, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, errc::overflow_full);
}

TEST_F(Overflow, ABatchThatDoesNotReadBackIsCountedAndTheOthersStay) {
  {
    auto all = open();
    for (std::uint64_t i = 1; i <= 3; ++i)
      ASSERT_TRUE(put(*all, i, std::string(5'000, 'a' + char(i))));
  }
  auto path = std::filesystem::directory_iterator { dir.path() / "overflow" } -> path();
  auto* out = std::fopen(path.c_str(), "r+b");
  ASSERT_TRUE(out);
  std::fseek(out, -7'000, SEEK_END);
  std::fputs("damage", out);
  std::fclose(out);
  auto all = open();
  EXPECT_EQ(all->recovery().damaged, 1u);
  ASSERT_EQ(all->recovery().batches.size(), 2u);
  EXPECT_EQ(all->recovery().batches[1].ref.id.sequence, 3u);
}

TEST_F(Overflow, ATornTailOfAMachineCrashIsNoBatch) {
  std::uint64_t whole = 0;
  {
    auto all = open();
    ASSERT_TRUE(put(*all, 1));
    whole = all->figures().bytes;
    ASSERT_TRUE(put(*all, 2, std::string(9'000, 'x')));
  }
  auto path = std::filesystem::directory_iterator { dir.path() / "overflow" } -> path();
  std::filesystem::resize_file(path, whole + 100);
  auto all = open();
  ASSERT_EQ(all->recovery().batches.size(), 1u);
  EXPECT_EQ(all->recovery().damaged, 1u);
}

TEST_F(Overflow, AFileThatIsNotOursIsLeftAlone) {
  std::filesystem::create_directories(dir.path() / "overflow");
  auto foreign = dir.path() / "overflow" / "overflow-00000001.batches";
  std::ofstream{foreign} << "hello";
  auto all = open();
  ASSERT_EQ(all->recovery().foreign.size(), 1u);
  ASSERT_TRUE(put(*all, 1));
  std::string word;
  std::ifstream{foreign} >> word;
  EXPECT_EQ(word, "hello");
}

} // namespace
} // namespace picket::store
