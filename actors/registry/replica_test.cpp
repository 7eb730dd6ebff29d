#include "actors/registry/replica.hpp"

#include <gtest/gtest.h>

#include "actors/testing/follow.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket::registry {
namespace {

/// A replica of a memory store, stepped by the test in virtual time.
class Replica : public ::testing::Test {
protected:
  void SetUp() override { open(); }
  void open() {
    copy.reset();
    tables.reset();
    store::registry_options small;
    small.sync = store::durability::none;
    small.fresh_rows = false;
    auto opened = store::registry_tables::open(scratch.path() / "state", small);
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
    told.clear();
    copy = std::make_unique<replica>(*tables, replica_options{"c"},
                                     [this](const registry_changes& changes, bool anew) {
                                       told.push_back({changes.revision, anew});
                                     });
  }
  void follow() { testing::follow(*copy, *store, now_ms); }

  store::registry_batch batch_on(const expected_head& head, const std::string& group) {
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    batch.head.time_ms = ++stamp;
    batch.log.commands = {{{1, 1, static_cast<std::uint64_t>(++stamp)}, "group_put", {}}};
    batch.writes = {{store::registry_table::groups, group, protocol::encode(protocol::group_row{})}};
    return batch;
  }
  std::uint64_t commit(const std::string& group) {
    auto head = store->head(0).head;
    return store->commit(head, batch_on(head, group), 0).revision;
  }
  void probe() { copy->probed(copy->probe_start(), store->head(0), now_ms); }
  void expect_equal() {
    std::map<std::string, std::string> rows;
    for (const auto& row : tables->read()->all_rows())
      rows[store::key_text(row.table, row.key)] = *row.row;
    EXPECT_EQ(rows, store->rows_at(copy->applied()));
    EXPECT_EQ(copy->applied(), store->revision());
    EXPECT_EQ(tables->check_consistency(), "");
    EXPECT_EQ(tables->read()->mark(), copy->mark());
  }

  picket::testing::scratch_directory scratch;
  std::unique_ptr<picket::testing::memory_store> store = std::make_unique<picket::testing::memory_store>();
  std::unique_ptr<store::registry_tables> tables;
  std::vector<std::pair<std::uint64_t, bool>> told;
  std::unique_ptr<replica> copy;
  std::int64_t now_ms = 1'000;
  std::int64_t stamp = 0;
};

TEST_F(Replica, LoadsWhatThereIsAndFollowsFromThere) {
  store->page_rows = 2;
  for (int i = 0; i < 7; ++i)
    commit("g" + std::to_string(i));
  EXPECT_FALSE(copy->usable());
  EXPECT_FALSE(copy->look([](const auto&, const auto&) {})) << "nothing is decided on an empty copy";
  follow();
  EXPECT_TRUE(copy->usable());
  expect_equal();
  commit("later");
  follow();
  expect_equal();
  EXPECT_EQ(told, (std::vector<std::pair<std::uint64_t, bool>>{{8, true}, {9, false}}));
}

TEST_F(Replica, GoesOnWhereItWasAfterARestart) {
  follow();
  commit("a");
  open();
  EXPECT_EQ(copy->wish().what, replica_wish::kind::watch);
  EXPECT_EQ(copy->wish().watch_from, 2u);
  follow();
  expect_equal();
}

TEST_F(Replica, APageOfAnotherRevisionBeginsTheLoadAnew) {
  store->page_rows = 1;
  testing::follow_once(*copy, *store, now_ms);
  testing::follow_once(*copy, *store, now_ms);
  auto wish = copy->wish();
  ASSERT_EQ(wish.what, replica_wish::kind::load);
  commit("a");
  copy->took_page(wish.number, store->load({store->revision(), wish.page.after}, 0), now_ms);
  EXPECT_EQ(copy->wish().what, replica_wish::kind::head);
  follow();
  expect_equal();
}

TEST_F(Replica, ALoadThatIsCompactedMeanwhileBeginsAnew) {
  store->page_rows = 1;
  testing::follow_once(*copy, *store, now_ms);
  testing::follow_once(*copy, *store, now_ms);
  commit("a");
  store->compact(store->revision());
  follow();
  expect_equal();
}

TEST_F(Replica, AChangeThatIsCompactedAwayMeansALoadAndReadersKeepWhatTheyHad) {
  follow();
  commit("a");
  follow();
  commit("b");
  commit("c");
  store->compact(store->revision());
  testing::follow_once(*copy, *store, now_ms);
  EXPECT_TRUE(copy->loading());
  EXPECT_TRUE(tables->read()->group("a"));
  EXPECT_FALSE(tables->read()->group("c"));
  EXPECT_EQ(copy->take_alarm(), replica_alarm::none) << "an ordinary thing";
  follow();
  expect_equal();
}

TEST_F(Replica, DoesNotGoBackBehindItsOwnWritesWhenALoadEnds) {
  follow();
  commit("a");
  store->compact(store->revision());
  store->page_rows = 1;
  testing::follow_once(*copy, *store, now_ms); // compacted
  testing::follow_once(*copy, *store, now_ms); // the head
  testing::follow_once(*copy, *store, now_ms); // the first page: the load is of this revision
  // Readers get further meanwhile, by an own write.
  ASSERT_TRUE(copy->loading());
  auto mark = copy->mark();
  auto batch = batch_on({mark.head_revision, tables->read()->head_bytes()}, "own");
  ASSERT_TRUE(
      copy->take_own({mark.head_revision, tables->read()->head_bytes()}, store->revision() + 1, batch));
  auto seen = copy->applied();
  for (int i = 0; i < 100 && copy->wish().what != replica_wish::kind::watch; ++i)
    testing::follow_once(*copy, *store, now_ms);
  EXPECT_TRUE(copy->loading()) << "it was loaded, and is behind what readers have";
  EXPECT_EQ(copy->applied(), seen);
  commit("b");
  follow();
  EXPECT_FALSE(copy->loading());
  EXPECT_GE(copy->applied(), seen);
  expect_equal();
}

TEST_F(Replica, OwnWritesAreTakenAtOnceAndOnceOnly) {
  follow();
  auto head = store->head(0).head;
  auto batch = batch_on(head, "own");
  auto revision = store->commit(head, batch, 0).revision;
  ASSERT_TRUE(copy->take_own(head, revision, batch));
  expect_equal();
  follow();
  expect_equal();
  EXPECT_EQ(told.size(), 2u) << "the load, and this one once";
}

TEST_F(Replica, OwnWritesWaitForTheWatchIfTheReplicaStandsElsewhere) {
  follow();
  auto head = store->head(0).head;
  auto other = commit("other");
  auto now = store->head(0).head;
  auto batch = batch_on(now, "own");
  auto revision = store->commit(now, batch, 0).revision;
  EXPECT_FALSE(copy->take_own(now, revision, batch)) << "it lacks " << other;
  EXPECT_FALSE(tables->read()->group("own"));
  follow();
  EXPECT_TRUE(copy->take_own(now, revision, batch));
  expect_equal();
}

TEST_F(Replica, AWatchThatIsRepeatedChangesNothing) {
  follow();
  commit("a");
  commit("b");
  std::uint64_t from = 2;
  auto step = store->read_changes(from, 100);
  copy->took_changes(copy->wish().number, step, now_ms);
  expect_equal();
  copy->took_changes(copy->wish().number, step, now_ms);
  expect_equal();
  EXPECT_EQ(told.size(), 3u);
}

TEST_F(Replica, ResultsOfOlderWishesAreNotLookedAt) {
  follow();
  commit("a");
  auto old = copy->wish().number;
  copy->took_changes(old, {{}, watch_end::lost, {}}, now_ms);
  std::uint64_t from = 2;
  copy->took_changes(old, store->read_changes(from, 9), now_ms);
  EXPECT_EQ(copy->applied(), 1u);
  EXPECT_EQ(copy->wish().not_before_ms, now_ms + 100);
  EXPECT_EQ(copy->wish().endpoint, 1u) << "another member";
  follow();
  expect_equal();
}

TEST_F(Replica, AWatchThatStallsIsCut) {
  follow();
  commit("a");
  auto wish = copy->wish();
  probe();
  now_ms += 1'000;
  probe();
  EXPECT_EQ(copy->wish().number, wish.number);
  now_ms += 1;
  probe();
  EXPECT_NE(copy->wish().number, wish.number);
  EXPECT_EQ(copy->wish().endpoint, wish.endpoint + 1);
  EXPECT_EQ(copy->take_alarm(), replica_alarm::stalled);
  follow();
  expect_equal();
}

TEST_F(Replica, AWatchThatOnlyLagsIsNotCut) {
  follow();
  auto wish = copy->wish();
  for (int i = 0; i < 20; ++i) {
    commit("g" + std::to_string(i));
    probe(); // each time one behind
    now_ms += 400;
    copy->took_changes(
        wish.number,
        [&] {
          auto next = copy->applied() + 1;
          return store->read_changes(next, 1);
        }(),
        now_ms);
    commit("h" + std::to_string(i));
  }
  EXPECT_EQ(copy->wish().number, wish.number) << "it moves, though it never reaches the head";
}

TEST_F(Replica, AStoreThatWentBackIsSaidAndLoadedAnew) {
  for (int i = 0; i < 3; ++i)
    commit("g" + std::to_string(i));
  auto old = *store;
  commit("lost");
  follow();
  *store = old;
  probe();
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
  EXPECT_TRUE(tables->read()->group("lost")) << "until the new tables are whole";
  follow();
  EXPECT_FALSE(tables->read()->group("lost"));
  expect_equal();
}

TEST_F(Replica, AnotherHeadAtTheSameRevisionIsAnotherHistory) {
  auto old = *store;
  commit("lost");
  follow();
  *store = old;
  commit("instead");
  ASSERT_EQ(store->revision(), copy->applied());
  probe();
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
  follow();
  expect_equal();
}

TEST_F(Replica, AnotherEpochOrAGapInTheWatchIsAnotherHistory) {
  auto old = *store;
  commit("lost");
  follow();
  *store = old;
  store->restored();
  commit("b");
  follow();
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
  expect_equal();

  protocol::head_row skips = *protocol::decode_head_row(store->head(0).head.row);
  skips.sequence += 2;
  store->put({{store::registry_table::head, {}, protocol::encode(skips)}});
  follow();
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
  expect_equal();
}

TEST_F(Replica, AStoreThatIsReplacedDuringALoadBeginsItAnew) {
  store->page_rows = 1;
  commit("a");
  auto old = *store;
  commit("b");
  testing::follow_once(*copy, *store, now_ms);
  testing::follow_once(*copy, *store, now_ms);
  *store = old;
  store->restored();
  commit("c");
  follow();
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
  expect_equal();
}

TEST_F(Replica, TablesOfAnotherStoreAreLoadedAnew) {
  follow();
  copy = std::make_unique<replica>(*tables, replica_options{"another"});
  EXPECT_FALSE(copy->usable());
  EXPECT_EQ(copy->wish().what, replica_wish::kind::head);
  follow();
  EXPECT_TRUE(copy->usable());
  EXPECT_EQ(tables->read()->mark().cluster, "another");
}

TEST_F(Replica, FailuresAreTriedAgainAfterAPause) {
  auto wish = copy->wish();
  copy->took_head(wish.number, {read_status::unavailable, {}, 0, error{errc::timeout, "no", {}, {}}}, now_ms);
  EXPECT_EQ(copy->wish().what, replica_wish::kind::head);
  EXPECT_EQ(copy->wish().not_before_ms, now_ms + 100);
  EXPECT_TRUE(copy->take_failure());
  testing::follow_once(*copy, *store, now_ms);
  wish = copy->wish();
  ASSERT_EQ(wish.what, replica_wish::kind::load);
  load_page failed;
  copy->took_page(wish.number, failed, now_ms);
  EXPECT_EQ(copy->wish().what, replica_wish::kind::load);
  EXPECT_EQ(copy->wish().page.revision, wish.page.revision);
  follow();
  expect_equal();
  wish = copy->wish();
  copy->took_changes(wish.number, {{}, watch_end::wrong_cluster, {}}, now_ms);
  EXPECT_EQ(copy->take_alarm(), replica_alarm::wrong_cluster);
  EXPECT_TRUE(tables->read()->group("default")) << "readers go on";
}

TEST_F(Replica, ARowThatDoesNotDecodeStopsItThereAndSaysSo) {
  follow();
  store->put({{store::registry_table::agents, store::agent_key(1), "no row"}});
  testing::follow_once(*copy, *store, now_ms);
  EXPECT_EQ(copy->take_alarm(), replica_alarm::damaged);
  EXPECT_EQ(copy->applied(), 1u);
  EXPECT_GE(copy->wish().not_before_ms, now_ms + 5'000);
  auto why = copy->take_failure();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, errc::corrupt);
}

} // namespace
} // namespace picket::registry
