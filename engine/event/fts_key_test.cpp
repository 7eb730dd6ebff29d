#include "engine/event/fts_key.hpp"

#include "engine/load/decoders.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

struct FtsKey : ::testing::Test {
  FtsKey() {
    by.name = "sudo";
    by.has_fts = true;
    from.rule_location = "(web) any->/x";
    ev.source = &from;
    ev.decoder = &by;
    ev.set(static_field::srcuser, "alice");
    ev.set(static_field::srcip, "192.0.2.1");
  }
  void name(static_field field) {
    by.fts_statics = static_cast<std::uint16_t>(by.fts_statics | 1U << static_cast<unsigned>(field));
  }

  decoder by;
  source from;
  event ev;
};

TEST_F(FtsKey, HasAPlaceForEachStaticField) {
  name(static_field::srcuser);
  EXPECT_EQ(fts_key(ev), "sudo   alice     ");
  by.fts_location = true;
  EXPECT_EQ(fts_key(ev), "sudo   alice     (web) any->/x");
}

TEST_F(FtsKey, DynamicFieldsFollowIfPresent) {
  by.fts_dynamics = {"abc", "def"};
  ev.dynamics = {{"ABC", "1"}};
  EXPECT_EQ(fts_key(ev), "sudo         1");
}

TEST_F(FtsKey, IsCut) {
  name(static_field::data);
  std::string longer(300, 'x');
  ev.set(static_field::data, longer);
  EXPECT_EQ(fts_key(ev).size(), 255u);
  by.fts_dynamics = {"abc"};
  ev.dynamics = {{"abc", "1"}};
  EXPECT_EQ(fts_key(ev).size(), 256u);
  EXPECT_EQ(fts_key(ev).back(), ' ');
}

TEST_F(FtsKey, NeedsADecoderWithFts) {
  by.has_fts = false;
  EXPECT_FALSE(has_fts(ev));
  EXPECT_EQ(fts_key(ev), "");
  ev.decoder = nullptr;
  EXPECT_EQ(fts_key(ev), "");
}

} // namespace
} // namespace picket::engine
