#include "actors/dispatcher/shard_intake.hpp"

#include <gtest/gtest.h>

#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

class ShardIntake : public ::testing::Test {
protected:
  void open(std::uint32_t segments = 64, std::uint32_t quota = 16) {
    intake.reset();
    pool.reset();
    store::pool_options options;
    options.segments = segments;
    options.shards = 4;
    options.shard_quota_segments = quota;
    options.node = 1;
    options.boot = ++boot;
    auto opened = store::pool::open(dir.path() / "pool", options);
    ASSERT_TRUE(opened) << to_string(opened.error());
    pool = std::move(*opened);
    intake_options gather;
    gather.shards = 4;
    gather.batch_records = 3;
    intake_links links{[this](shard_id shard) { announced.push_back(shard); }, [] {},
                       [this](shard_id shard, std::uint64_t batch) { unopened.emplace_back(shard, batch); }};
    intake = std::make_unique<shard_intake>(pool, nullptr, gather, links, counts, event_log::silent());
  }

  bool put(agent_id agent, const std::string& text) {
    connection_turn turn;
    return intake->take(sealed_record{agent, 9, 1'000, as_bytes(text)}, turn) == intake_answer::taken;
  }

  std::vector<std::string> texts(const work_ptr& what) {
    std::vector<std::string> all;
    for (const auto& record : what->records)
      all.emplace_back(record.bytes);
    return all;
  }

  using words = std::vector<std::string>;

  testing::scratch_directory dir;
  std::shared_ptr<store::pool> pool;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::vector<shard_id> announced;
  std::vector<std::pair<shard_id, std::uint64_t>> unopened;
  std::unique_ptr<shard_intake> intake;
  std::uint32_t boot = 0;
};

TEST_F(ShardIntake, AnnouncesAShardOnceUntilItIsEmptied) {
  open();
  ASSERT_TRUE(put(1, "a"));
  ASSERT_TRUE(put(1, "b"));
  ASSERT_TRUE(put(2, "c"));
  EXPECT_EQ(announced, (std::vector<shard_id>{1, 2}));
  auto what = intake->take(shard_id{1});
  EXPECT_EQ(texts(what), (words{"a", "b"})) << "an open batch is closed when an executor is ready";
  ASSERT_TRUE(put(1, "d"));
  EXPECT_EQ(announced.size(), 2u) << "still announced";
  EXPECT_TRUE(intake->finish(*what));
  what = intake->take(shard_id{1});
  EXPECT_EQ(texts(what), words{"d"});
  EXPECT_FALSE(intake->finish(*what));
  ASSERT_TRUE(put(1, "e"));
  EXPECT_EQ(announced.size(), 3u) << "and again, now that it was empty";
}

TEST_F(ShardIntake, AFullBatchIsClosedAndOrderIsKept) {
  open();
  for (auto text : {"1", "2", "3", "4", "5", "6", "7"})
    ASSERT_TRUE(put(1, text));
  words all;
  while (auto what = intake->take(shard_id{1})) {
    EXPECT_LE(what->records.size(), 3u);
    for (auto& text : texts(what))
      all.push_back(text);
    intake->finish(*what);
  }
  EXPECT_EQ(all, (words{"1", "2", "3", "4", "5", "6", "7"}));
  EXPECT_EQ(pool->figures().free_segments, pool->figures().segments);
}

TEST_F(ShardIntake, WithoutRoomNothingIsTakenAndTheWaitingAreWoken) {
  open(16, 4);
  std::string large(60'000, 'x');
  int taken = 0;
  while (put(1, large))
    ++taken;
  EXPECT_EQ(taken, 1);
  int woken = 0;
  intake->when_room(std::make_shared<connection_turn>(), [&] { ++woken; });
  EXPECT_EQ(woken, 0);
  auto what = intake->take(shard_id{1});
  ASSERT_TRUE(what);
  intake->finish(*what);
  EXPECT_EQ(woken, 1);
  EXPECT_TRUE(put(1, large));
  EXPECT_GE(counts->pool_full_total.value(), 1);
}

TEST_F(ShardIntake, WhoeverWaitsWhenNothingIsOutstandingIsWokenAtOnce) {
  open();
  int woken = 0;
  intake->when_room(std::make_shared<connection_turn>(), [&] { ++woken; });
  EXPECT_EQ(woken, 1);
}

TEST_F(ShardIntake, TheNodesOwnEventsGoToTheAgentsShard) {
  open();
  ASSERT_TRUE(intake->take(agent_id{6}, "wazuh-remoted", "ossec: Agent stopped: 'x->any'."));
  EXPECT_EQ(announced, std::vector<shard_id>{2});
  auto what = intake->take(shard_id{2});
  ASSERT_EQ(what->records.size(), 1u);
  EXPECT_EQ(what->records[0].kind, record_kind::plain);
  EXPECT_EQ(what->records[0].bytes, "1:wazuh-remoted:ossec: Agent stopped: 'x->any'.");
}

TEST_F(ShardIntake, WhatWasNotFinishedIsThereAfterARestart) {
  open();
  ASSERT_TRUE(put(1, "begun"));
  auto what = intake->take(shard_id{1});
  ASSERT_TRUE(what);
  ASSERT_TRUE(put(1, "not begun"));
  what.reset();
  announced.clear();
  open();
  EXPECT_EQ(intake->resume(), 2u);
  EXPECT_EQ(announced, std::vector<shard_id>{1});
  auto first = intake->take(shard_id{1});
  EXPECT_EQ(texts(first), words{"begun"});
  EXPECT_EQ(first->attempt, 2u);
  EXPECT_EQ(first->records[0].connection, 0u) << "the connection is gone";
  intake->finish(*first);
  EXPECT_EQ(texts(intake->take(shard_id{1})), words{"not begun"});
}

TEST_F(ShardIntake, ABatchThatSurvivedItsAnalysisIsNoSuspect) {
  open();
  ASSERT_TRUE(put(1, "x"));
  auto what = intake->take(shard_id{1});
  intake->survived(*what);
  what.reset();
  open();
  ASSERT_EQ(intake->resume(), 1u);
  EXPECT_EQ(pool->recovery().batches[0].attempt, 0u);
  EXPECT_EQ(intake->take(shard_id{1})->attempt, 1u);
}

TEST_F(ShardIntake, ABatchThatIsSetAsideUnopenedHoldsNobodyUp) {
  open();
  ASSERT_TRUE(put(1, "x"));
  auto what = intake->take(shard_id{1});
  intake->finish(*what);
  ASSERT_EQ(unopened.size(), 1u);
  EXPECT_EQ(unopened[0], (std::pair{shard_id{1}, what->id.sequence}));
  ASSERT_TRUE(put(1, "y"));
  what = intake->take(shard_id{1});
  what->opened = true; // as the decoder says
  intake->finish(*what);
  EXPECT_EQ(unopened.size(), 1u);
}

TEST_F(ShardIntake, TakesARecordOnceMore) {
  open();
  ASSERT_TRUE(intake->take_again(6, record_kind::again, "1:/x:y"));
  auto what = intake->take(shard_id{2});
  ASSERT_TRUE(what);
  EXPECT_EQ(what->records[0].agent, 6u);
  EXPECT_EQ(what->records[0].kind, record_kind::again);
  EXPECT_EQ(what->records[0].bytes, "1:/x:y");
}

TEST_F(ShardIntake, KnowsTheOldestRecordThatIsNotFinished) {
  open();
  EXPECT_FALSE(intake->oldest_arrival_ms());
  ASSERT_TRUE(put(1, "a"));
  EXPECT_EQ(intake->oldest_arrival_ms(), 1'000);
  auto what = intake->take(shard_id{1});
  EXPECT_EQ(intake->oldest_arrival_ms(), 1'000);
  intake->finish(*what);
  EXPECT_FALSE(intake->oldest_arrival_ms());
}

} // namespace
} // namespace picket
