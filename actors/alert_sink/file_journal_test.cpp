#include "actors/alert_sink/file_journal.hpp"

#include <gtest/gtest.h>

#include "base/testing/small_disk.hpp"
#include "base/time.hpp"

namespace picket {
namespace {

store::journal_options in(const std::filesystem::path& directory) {
  store::journal_options options;
  options.directory = directory;
  return options;
}

journal_texts alert(std::string_view text) { return {text, {}, {}}; }

TEST(FileJournal, OpensItsFilesWhenThereIsRoom) {
  testing::small_disk disk{64};
  if (!disk.mounted()) GTEST_SKIP() << disk.why_not();
  disk.fill_up_to(0);
  auto journal = file_journal::open(in(disk.path() / "logs"));
  ASSERT_TRUE(journal) << to_string(journal.error());
  for (int i = 0; i < 2; ++i) {
    auto refused = (*journal)->append(alert("a\n"), wall_clock_ms());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, errc::disk_full) << to_string(refused.error());
  }
  EXPECT_FALSE((*journal)->tick(wall_clock_ms())) << "so that the node knows";
  EXPECT_TRUE((*journal)->sync()) << "nothing was written";
  disk.make_room();
  ASSERT_TRUE((*journal)->append(alert("a\n"), wall_clock_ms()));
  std::ifstream file{disk.path() / "logs" / "alerts" / "alerts.json"};
  std::string text{std::istreambuf_iterator<char>{file}, {}};
  EXPECT_EQ(text, "a\n");
}

TEST(FileJournal, WhatWaitingWouldNotMendIsAnErrorOfTheStart) {
  testing::scratch_directory scratch;
  scratch.write("logs", "a file, no directory");
  auto journal = file_journal::open(in(scratch.path() / "logs"));
  ASSERT_FALSE(journal);
  EXPECT_NE(journal.error().where.find("logs"), std::string::npos);
}

} // namespace
} // namespace picket
