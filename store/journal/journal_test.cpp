#include "store/testing/journal_fixture.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

namespace picket::store {
namespace {

using testing::at;
using testing::day_ms;
using testing::hour_ms;
using testing::json;
using testing::morning_ms;

class Journal : public testing::journal_fixture {};

TEST_F(Journal, HasTheLayoutOfTheReference) {
  auto all = options();
  all.alerts_log = true;
  all.archives_json = true;
  auto j = open(all);
  journal_lines lines;
  lines.alerts_json = "{\"a\":1}\n";
  lines.alerts_log = "** Alert\n\n";
  lines.archives_json = "{\"b\":1}\n";
  ASSERT_TRUE(j.append(lines, at(morning_ms)));
  EXPECT_EQ(logs("alerts/alerts.json"), "{\"a\":1}\n");
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "{\"a\":1}\n");
  EXPECT_EQ(inode("alerts/alerts.json"), inode("alerts/2025/Mar/ossec-alerts-04.json"));
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.log"), "** Alert\n\n");
  EXPECT_EQ(logs("alerts/alerts.log"), "** Alert\n\n");
  EXPECT_EQ(logs("archives/2025/Mar/ossec-archive-04.json"), "{\"b\":1}\n");
  EXPECT_EQ(logs("archives/archives.json"), "{\"b\":1}\n");
  struct stat info {};
  ASSERT_EQ(stat((scratch.path() / "logs/alerts/alerts.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U & ~0640U, 0u);
  ASSERT_EQ(stat((scratch.path() / "logs/alerts/2025").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U & ~0750U, 0u);
}

TEST_F(Journal, OutputsThatAreOffMakeNoFiles) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("x\n"), at(morning_ms)));
  EXPECT_FALSE(exists("archives"));
  EXPECT_FALSE(exists("alerts/alerts.log"));
  EXPECT_EQ(j.archives_json(), nullptr);
}

TEST_F(Journal, TurnsThePageAtLocalMidnight) {
  auto j = open(options(), morning_ms, 3'600);
  ASSERT_TRUE(j.append(json("tuesday\n"), at(morning_ms, 3'600)));
  ASSERT_TRUE(j.append(json("still tuesday\n"), at(morning_ms + 13 * hour_ms - 1, 3'600)));
  auto old = inode("alerts/alerts.json");
  ASSERT_TRUE(j.append(json("wednesday\n"), at(morning_ms + 13 * hour_ms, 3'600)));
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "tuesday\nstill tuesday\n");
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-05.json"), "wednesday\n");
  EXPECT_EQ(logs("alerts/alerts.json"), "wednesday\n");
  EXPECT_NE(inode("alerts/alerts.json"), old);
  ASSERT_TRUE(j.append(json("clock went back\n"), at(morning_ms, 3'600)));
  EXPECT_EQ(logs("alerts/alerts.json"), "wednesday\nclock went back\n");
}

TEST_F(Journal, TurnsThePageWithoutEventsTooAndRemovesAnEmptyDay) {
  auto j = open(options());
  EXPECT_TRUE(exists("alerts/2025/Mar/ossec-alerts-04.json"));
  ASSERT_TRUE(j.tick(at(morning_ms + day_ms)));
  EXPECT_TRUE(exists("alerts/2025/Mar/ossec-alerts-05.json"));
  EXPECT_FALSE(exists("alerts/2025/Mar/ossec-alerts-04.json"));
}

TEST_F(Journal, CrossesMonthsYearsAndLeapDays) {
  auto name_on = [&](std::int64_t ms) {
    auto j = open(options(), ms);
    return j.alerts_json()->end().file;
  };
  EXPECT_EQ(name_on(0), "1970/Jan/ossec-alerts-01.json");
  EXPECT_EQ(name_on(951'782'400'000), "2000/Feb/ossec-alerts-29.json");
  EXPECT_EQ(name_on(1'735'689'599'000), "2024/Dec/ossec-alerts-31.json");
  EXPECT_EQ(name_on(1'735'689'600'000), "2025/Jan/ossec-alerts-01.json");
}

TEST_F(Journal, NewPartsComeBySizeAndByInterval) {
  auto all = options();
  all.rotate_bytes = 10;
  all.rotate_interval_s = 7'200;
  {
    auto j = open(all);
    ASSERT_TRUE(j.append(json("0123456789ab\n"), at(morning_ms)));
    ASSERT_TRUE(j.append(json("too early for a part\n"), at(morning_ms + 599'000)));
    ASSERT_TRUE(j.append(json("next\n"), at(morning_ms + 600'000)));
    EXPECT_EQ(logs("alerts/alerts.json"), "next\n");
    EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04-001.json"), "next\n");
    ASSERT_TRUE(j.tick(at(morning_ms + 600'000 + 7'200'000)));
    ASSERT_TRUE(j.append(json("third, long enough\n"), at(morning_ms + 7'900'000)));
    EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04-002.json"), "third, long enough\n");
  }
  auto again = open(all, morning_ms + 8'000'000);
  EXPECT_EQ(again.alerts_json()->end().file, "2025/Mar/ossec-alerts-04-003.json")
      << "the last one is over the size";
}

TEST_F(Journal, GoesOnWithTheDaysNewestPartAfterARestart) {
  { ASSERT_TRUE(open(options()).append(json("one\n"), at(morning_ms))); }
  auto j = open(options(), morning_ms + hour_ms);
  ASSERT_TRUE(j.append(json("two\n"), at(morning_ms + hour_ms)));
  EXPECT_EQ(logs("alerts/alerts.json"), "one\ntwo\n");
}

TEST_F(Journal, CutsOffAHalfRecordAtOpen) {
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json", "{\"whole\":1}\n{\"half\":");
  auto all = options();
  all.alerts_log = true;
  scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.log", "** Alert 1\ntext\n\n** Alert 2\nhal\n");
  auto j = open(all);
  EXPECT_EQ(repaired_bytes(j), 8u + 15u);
  EXPECT_EQ(logs("alerts/alerts.json"), "{\"whole\":1}\n");
  EXPECT_EQ(logs("alerts/alerts.log"), "** Alert 1\ntext\n\n");
  ASSERT_TRUE(j.append(json("{\"next\":1}\n"), at(morning_ms)));
  EXPECT_EQ(logs("alerts/alerts.json"), "{\"whole\":1}\n{\"next\":1}\n");
}

TEST_F(Journal, RepairsHalvesOfAnyLength) {
  for (std::size_t half : {std::size_t{1}, std::size_t{65'534}, std::size_t{65'535}, std::size_t{65'536},
                           std::size_t{200'000}}) {
    for (std::size_t before : {0U, 1U, 2U, 70'000U}) {
      std::string whole = before == 0 ? "" : std::string(before - 1, 'w') + "\n";
      scratch.write("logs/alerts/2025/Mar/ossec-alerts-04.json", whole + std::string(half, 'h'));
      auto j = open(options());
      EXPECT_EQ(repaired_bytes(j), half) << before;
      EXPECT_EQ(logs("alerts/alerts.json"), whole);
    }
  }
}

TEST_F(Journal, PositionsAreCursorsThatCanBeStored) {
  auto j = open(options());
  auto begin = j.alerts_json()->end();
  ASSERT_TRUE(j.append(json("12345\n"), at(morning_ms)));
  auto end = j.alerts_json()->end();
  EXPECT_EQ(begin.offset, 0u);
  EXPECT_EQ(to_text(end), "2025/Mar/ossec-alerts-04.json:6");
  EXPECT_EQ(parse_journal_position(to_text(end)), end);
  EXPECT_EQ(j.alerts_json()->durable(), begin);
  ASSERT_TRUE(j.tick(at(morning_ms + 999)));
  EXPECT_EQ(j.alerts_json()->durable(), begin) << "not before the interval";
  ASSERT_TRUE(j.tick(at(morning_ms + 1'000)));
  EXPECT_EQ(j.alerts_json()->durable(), end);
}

TEST_F(Journal, StrictMeansOnTheDiskBeforeItIsAnswered) {
  auto all = options();
  all.strict_sync = true;
  auto j = open(all);
  ASSERT_TRUE(j.append(json("12345\n"), at(morning_ms)));
  EXPECT_EQ(j.alerts_json()->durable().offset, 6u);
}

TEST_F(Journal, SaysWhereItCannotWrite) {
  scratch.write("logs", "a file, not a directory");
  auto j = journal::open(options(), at(morning_ms));
  ASSERT_FALSE(j);
  EXPECT_NE(j.error().where.find("logs"), std::string::npos);
}

} // namespace
} // namespace picket::store
