#include "engine/state/accumulate.hpp"

#include "engine/load/decoders.hpp"

#include <gtest/gtest.h>

namespace picket::engine {
namespace {

struct Accumulator : ::testing::Test {
  Accumulator() {
    by.name = "acc";
    by.accumulate = true;
  }

  /// Runs one event and answers what `field` holds behind it.
  std::string run(std::int64_t now_s, std::string_view id, static_field given, std::string_view value,
                  static_field asked, std::string_view host = "h") {
    event ev;
    ev.decoder = &by;
    ev.hostname = host;
    ev.set(static_field::id, id);
    ev.set(given, value);
    kept.apply(ev, now_s, memory);
    return std::string(ev.get(asked).value_or("-"));
  }

  decoder by;
  arena memory;
  accumulator kept;
};

constexpr auto srcip = static_field::srcip;
constexpr auto dstuser = static_field::dstuser;

// decoders.md 7.1, group G4
TEST_F(Accumulator, FillsFromEarlierEventsOfTheKey) {
  EXPECT_EQ(run(0, "1", srcip, "1.1.1.1", dstuser), "-");
  EXPECT_EQ(run(1, "1", dstuser, "bob", srcip), "1.1.1.1");
  EXPECT_EQ(run(2, "1", dstuser, "alice", dstuser), "alice");
  EXPECT_EQ(run(3, "1", srcip, "2.2.2.2", dstuser), "bob") << "a stored value is never replaced";
  EXPECT_EQ(run(4, "1", dstuser, "dave", srcip, "h2"), "-") << "another host";
  EXPECT_EQ(run(4, "2", dstuser, "dave", srcip), "-") << "another id";
}

TEST_F(Accumulator, AnEmptyValueIsFilled) {
  run(0, "1", srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(run(1, "1", srcip, "", srcip), "1.1.1.1");
}

TEST_F(Accumulator, LivesFor120SecondsFromTheLastEvent) {
  run(0, "1", srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(run(120, "1", dstuser, "bob", srcip), "1.1.1.1");
  EXPECT_EQ(run(240, "1", dstuser, "bob", srcip), "1.1.1.1") << "renewed at 120";
  EXPECT_EQ(run(361, "1", dstuser, "bob", srcip), "-");
  EXPECT_EQ(kept.size(), 1u);
}

TEST_F(Accumulator, LongValuesAreNotCarried) {
  run(0, "1", dstuser, std::string(81, 'u'), srcip);
  EXPECT_EQ(run(1, "1", srcip, "1.1.1.1", dstuser), "-");
  run(0, "2", dstuser, std::string(80, 'u'), srcip);
  EXPECT_EQ(run(1, "2", srcip, "1.1.1.1", dstuser), std::string(80, 'u'));
}

TEST_F(Accumulator, NeedsTheFlagAndAnId) {
  run(0, std::string(260, 'i'), srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(kept.size(), 0u) << "the key is too long";
  by.accumulate = false;
  run(0, "1", srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(kept.size(), 0u);
  by.accumulate = true;
  event without_id;
  without_id.decoder = &by;
  kept.apply(without_id, 0, memory);
  EXPECT_EQ(kept.size(), 0u);
}

TEST_F(Accumulator, IsSweptAndBounded) {
  for (int i = 0; i < 150; ++i)
    run(0, "i" + std::to_string(i), srcip, "1.1.1.1", dstuser);
  for (int i = 0; i < 50; ++i)
    run(121, "late", srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(kept.size(), 1u);

  kept = accumulator(2);
  for (int i = 0; i < 5; ++i)
    run(0, "i" + std::to_string(i), srcip, "1.1.1.1", dstuser);
  EXPECT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept.refused(), 3u);
}

TEST_F(Accumulator, TravelsAsMsgpack) {
  run(5, "1", srcip, "1.1.1.1", dstuser);
  run(6, "2", dstuser, "bob", srcip);
  msgpack::sbuffer bytes;
  msgpack::packer<msgpack::sbuffer> packer(bytes);
  encode(kept, packer);
  auto read = msgpack::unpack(bytes.data(), bytes.size());
  accumulator back;
  ASSERT_TRUE(decode(read.get(), back));
  EXPECT_TRUE(back == kept);
  kept = back;
  EXPECT_EQ(run(7, "1", dstuser, "x", srcip), "1.1.1.1");
}

TEST(AccumulatorDecode, RefusesOtherForms) {
  auto decodes = [](auto fill) {
    msgpack::sbuffer bytes;
    msgpack::packer<msgpack::sbuffer> packer(bytes);
    fill(packer);
    accumulator to;
    return decode(msgpack::unpack(bytes.data(), bytes.size()).get(), to);
  };
  EXPECT_FALSE(decodes([](auto& to) { to.pack(7); }));
  EXPECT_FALSE(decodes([](auto& to) { to.pack_array(2).pack(1).pack(2); }));
  EXPECT_FALSE(decodes([](auto& to) {
    to.pack_array(2).pack(1);
    to.pack_map(1).pack(std::string("key")).pack(1);
  }));
  EXPECT_FALSE(decodes([](auto& to) {
    to.pack_array(2).pack(1);
    to.pack_map(1).pack(std::string("key"));
    to.pack_array(2).pack(5).pack(std::vector<std::string>(7, std::string(81, 'x')));
  })) << "a value longer than any that is stored";
  EXPECT_TRUE(decodes([](auto& to) { to.pack_array(2).pack(1).pack_map(0); }));
}

} // namespace
} // namespace picket::engine
