// Rotation under a clock that jumps, and what a reader makes of it.

#include "store/journal/journal_reader.hpp"
#include "store/testing/journal_fixture.hpp"

namespace picket::store {
namespace {

using testing::at;
using testing::day_ms;
using testing::hour_ms;
using testing::json;
using testing::morning_ms;

constexpr std::int64_t minute_ms = 60'000;
constexpr std::int64_t midnight_ms = morning_ms + 14 * hour_ms;

class JournalClock : public testing::journal_fixture {
protected:
  std::string newest(const journal& of) { return of.alerts_json()->end().file; }
  /// Everything, as a reader from the beginning sees it.
  std::string read_all() {
    auto reader = journal_reader::open({alerts_json_output(path(""))}, {});
    std::string all;
    while (true) {
      auto some = reader->read(7);
      EXPECT_TRUE(some) << to_string(some.error());
      if (!some || some->empty()) break;
      all += *some;
    }
    EXPECT_EQ(reader->gaps().missing_files, 0u);
    EXPECT_EQ(reader->gaps().skipped_bytes, 0u);
    return all;
  }
};

TEST_F(JournalClock, AStepBackOverMidnightStaysInTheNewFile) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("tuesday\n"), at(midnight_ms - 1)));
  ASSERT_TRUE(j.append(json("wednesday\n"), at(midnight_ms)));
  ASSERT_TRUE(j.append(json("tuesday again\n"), at(midnight_ms - 2'000)));
  ASSERT_TRUE(j.append(json("wednesday again\n"), at(midnight_ms + 1)));
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "tuesday\n") << "an old file is left alone";
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-05.json"), "wednesday\ntuesday again\nwednesday again\n");
  EXPECT_FALSE(exists("alerts/2025/Mar/ossec-alerts-05-001.json")) << "two seconds are no midnight";
}

TEST_F(JournalClock, ADayForwardByMistakeAndBackLosesNoMidnight) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  ASSERT_TRUE(j.append(json("mistaken\n"), at(morning_ms + day_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05.json");
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + minute_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05.json") << "not back to the old one";
  ASSERT_TRUE(j.append(json("c\n"), at(midnight_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05-001.json") << "the real midnight begins a file";
  ASSERT_TRUE(j.append(json("d\n"), at(midnight_ms + 20 * hour_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05-001.json") << "once";
  ASSERT_TRUE(j.tick(at(midnight_ms + day_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-06.json") << "and the next one again";
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "a\n");
  EXPECT_EQ(read_all(), "a\nmistaken\nb\nc\nd\n");
}

TEST_F(JournalClock, YearsForwardByMistakeAndBackGoesOnInTheRightDay) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  ASSERT_TRUE(j.append(json("2031\n"), at(morning_ms + 2'200 * day_ms)));
  EXPECT_EQ(newest(j), "2031/Mar/ossec-alerts-13.json");
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + minute_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04-001.json") << "a new part, the old file stays as it is";
  ASSERT_TRUE(j.append(json("c\n"), at(midnight_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05.json");
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-04.json"), "a\n");
  EXPECT_EQ(logs("alerts/alerts.json"), "c\n");
  EXPECT_EQ(read_all(), "a\n2031\nb\nc\n") << "in the order of writing, not of names";
}

TEST_F(JournalClock, ANodeWithoutEventsLeavesNothingInTheWrongYear) {
  auto j = open(options());
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
  ASSERT_TRUE(j.tick(at(morning_ms + 2'200 * day_ms)));
  ASSERT_TRUE(j.tick(at(morning_ms + minute_ms)));
  EXPECT_FALSE(exists("alerts/2031/Mar/ossec-alerts-13.json"));
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + minute_ms)));
  EXPECT_EQ(read_all(), "a\nb\n");
}

TEST_F(JournalClock, TheRightYearComesAtLast) {
  {
    auto j = open(options());
    ASSERT_TRUE(j.append(json("a\n"), at(morning_ms)));
    ASSERT_TRUE(j.append(json("mistaken\n"), at(morning_ms + 10 * day_ms)));
    ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + minute_ms)));
  }
  auto j = open(options(), morning_ms + 10 * day_ms);
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms + 10 * day_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-14-001.json") << "what was left is not written to again";
  EXPECT_EQ(logs("alerts/2025/Mar/ossec-alerts-14.json"), "mistaken\n");
  EXPECT_EQ(read_all(), "a\nmistaken\nb\nc\n");
}

TEST_F(JournalClock, ARestartUnderAWrongClockKeepsTheOrder) {
  { ASSERT_TRUE(open(options()).append(json("a\n"), at(morning_ms))); }
  {
    auto j = open(options(), morning_ms - 30 * day_ms);
    EXPECT_EQ(newest(j), "2025/Feb/ossec-alerts-02.json");
    ASSERT_TRUE(j.append(json("b\n"), at(morning_ms - 30 * day_ms)));
  }
  {
    auto j = open(options(), morning_ms + minute_ms);
    EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04-001.json");
    ASSERT_TRUE(j.append(json("c\n"), at(morning_ms + minute_ms)));
  }
  EXPECT_EQ(read_all(), "a\nb\nc\n");
}

TEST_F(JournalClock, IntervalsAndSizesGoOnAfterTheClockWentBack) {
  auto all = options();
  all.rotate_interval_s = 3'600;
  auto j = open(all);
  ASSERT_TRUE(j.append(json("a\n"), at(morning_ms + 5 * hour_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04.json") << "an empty file needs no part";
  ASSERT_TRUE(j.append(json("b\n"), at(morning_ms + 6 * hour_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04-001.json");
  ASSERT_TRUE(j.append(json("c\n"), at(morning_ms)));
  ASSERT_TRUE(j.append(json("d\n"), at(morning_ms + 59 * minute_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04-001.json");
  ASSERT_TRUE(j.append(json("e\n"), at(morning_ms + 2 * hour_ms)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-04-002.json") << "not only when the old time is reached again";
  EXPECT_EQ(read_all(), "a\nb\nc\nd\ne\n");
}

TEST_F(JournalClock, MidnightThatComesTwiceBeginsAPart) {
  // Summer time ends at midnight: 24:00 becomes 23:00.
  auto j = open(options(), morning_ms);
  ASSERT_TRUE(j.append(json("a\n"), at(midnight_ms, 0)));
  ASSERT_TRUE(j.append(json("b\n"), at(midnight_ms + minute_ms, -3'600)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05.json");
  ASSERT_TRUE(j.append(json("c\n"), at(midnight_ms + hour_ms, -3'600)));
  EXPECT_EQ(newest(j), "2025/Mar/ossec-alerts-05-001.json");
  EXPECT_EQ(read_all(), "a\nb\nc\n");
}

} // namespace
} // namespace picket::store
