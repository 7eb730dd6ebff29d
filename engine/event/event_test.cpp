#include "engine/event/event.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

TEST(StaticFields, NamesGoThereAndBack) {
  for (std::size_t i = 0; i < static_field_count; ++i) {
    auto field = static_cast<static_field>(i);
    EXPECT_EQ(static_field_of(name_of(field)), field);
  }
  EXPECT_EQ(static_field_of("SrcIP"), std::nullopt);
  EXPECT_EQ(static_field_of("user"), std::nullopt);
}

TEST(Event, TheFirstDynamicFieldOfANameIsFound) {
  event ev;
  ev.dynamics = {{"a", "1"}, {"A", "2"}};
  EXPECT_EQ(ev.dynamic("A"), "1");
  EXPECT_EQ(ev.dynamic("b"), std::nullopt);
}

TEST(Event, ClearForgetsAll) {
  event ev;
  ev.full_log = "x";
  ev.program_name = "p";
  ev.type = event_type::ids;
  ev.set(static_field::srcip, "1");
  ev.dynamics = {{"a", "1"}};
  ev.clear();
  EXPECT_EQ(ev.full_log, "");
  EXPECT_FALSE(ev.program_name);
  EXPECT_EQ(ev.type, event_type::syslog);
  EXPECT_FALSE(ev.get(static_field::srcip));
  EXPECT_TRUE(ev.dynamics.empty());
  EXPECT_GE(ev.dynamics.capacity(), 1u) << "the memory is kept";
}

} // namespace
} // namespace picket::engine
