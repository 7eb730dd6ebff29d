#include "engine/load/time_window.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

unsigned at(unsigned hour, unsigned minute) { return hour * 60 + minute; }

TEST(TimeWindow, IncludesBothEndMinutesWithinADay) {
  const auto window = parse_time_window("08:00 - 17:00");
  ASSERT_TRUE(window);
  EXPECT_FALSE(window->contains(at(7, 59)));
  EXPECT_TRUE(window->contains(at(8, 0)));
  EXPECT_TRUE(window->contains(at(17, 0)));
  EXPECT_FALSE(window->contains(at(17, 1)));
}

TEST(TimeWindow, ExcludesBothEndMinutesOverMidnight) {
  const auto window = parse_time_window("22:00-06:00");
  ASSERT_TRUE(window);
  EXPECT_FALSE(window->contains(at(22, 0)));
  EXPECT_TRUE(window->contains(at(22, 1)));
  EXPECT_TRUE(window->contains(at(5, 59)));
  EXPECT_FALSE(window->contains(at(6, 0)));
}

TEST(TimeWindow, NegationWorksWithinADayOnly) {
  EXPECT_TRUE(parse_time_window("!08:00 - 17:00")->contains(at(7, 0)));
  EXPECT_FALSE(parse_time_window("! 08:00 - 17:00")->contains(at(9, 0)));
  const auto lost = parse_time_window("!22:00 - 6:00");
  EXPECT_TRUE(lost->contains(at(23, 0)));
  EXPECT_TRUE(lost->negation_lost);
}

TEST(TimeWindow, KnowsTwelveHourForms) {
  const auto window = parse_time_window(" 6 pm - 8:30 am ");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->begin, at(18, 0));
  EXPECT_EQ(window->end, at(8, 30));
  EXPECT_EQ(parse_time_window("12 am - 12 PM")->begin, 0);
  EXPECT_EQ(parse_time_window("12 am - 12 PM")->end, at(12, 0));
}

TEST(TimeWindow, RefusesWhatTheReferenceMisreads) {
  for (const auto* text : {"", "25:00 - 3:00", "23:99 - 1:00", "8:5 - 9:00", "am - 5 pm", "13 pm - 14",
                           "8:00", "8 - ", "8:00 - 9:00 x", "8:00 9:00"})
    EXPECT_FALSE(parse_time_window(text)) << text;
}

TEST(Weekdays, TakesNamesAndGroupsInAnyCase) {
  EXPECT_EQ(parse_weekdays("monday, TUE weekends"), std::uint8_t{2 | 4 | 1 | 64});
  EXPECT_EQ(parse_weekdays("weekdays"), std::uint8_t{62});
  for (const auto* text : {"", " , ", "!monday", "funday", "mond"})
    EXPECT_FALSE(parse_weekdays(text)) << text;
}

TEST(LocalMoment, IsArithmetic) {
  const auto noon = local_moment_of(1'749'038'400, 0); // Wednesday 2025-06-04 12:00
  EXPECT_EQ(noon.minute_of_day, at(12, 0));
  EXPECT_EQ(noon.weekday, 3u);
  const auto shifted = local_moment_of(1'749'038'400, 13 * 3600);
  EXPECT_EQ(shifted.minute_of_day, at(1, 0));
  EXPECT_EQ(shifted.weekday, 4u);
  EXPECT_EQ(local_moment_of(-1, 0).minute_of_day, at(23, 59));
  EXPECT_EQ(local_moment_of(-1, 0).weekday, 3u);
}

} // namespace
} // namespace picket::engine
