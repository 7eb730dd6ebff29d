#include "actors/registry/store.hpp"

#include <gtest/gtest.h>

#include "actors/registry/decide_batch.hpp"
#include "actors/testing/memory_store.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket::registry {
namespace {

struct embedded_case {
  picket::testing::scratch_directory scratch;
  std::unique_ptr<store::registry_tables> tables =
      std::move(*store::registry_tables::open(scratch.path() / "s"));
  embedded_store back_end{*tables};
};
struct memory_case {
  picket::testing::memory_store back_end;
};

/// What every back end does alike, whatever it is.
template <class Case>
class RegistryStore : public ::testing::Test {
protected:
  registry_store& back_end() { return case_.back_end; }

  /// The next batch on this head: one row of a group.
  store::registry_batch batch_on(const expected_head& head, const std::string& group) {
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    batch.writes = {{store::registry_table::groups, group, protocol::encode(protocol::group_row{})}};
    return batch;
  }
  commit_outcome commit(const std::string& group) {
    auto head = back_end().head(1'000).head;
    return back_end().commit(head, batch_on(head, group), 1'000);
  }

  Case case_;
};
using back_ends = ::testing::Types<embedded_case, memory_case>;
TYPED_TEST_SUITE(RegistryStore, back_ends);

TYPED_TEST(RegistryStore, CommitsOnTheExpectedHeadOnly) {
  auto before = this->back_end().head(1'000);
  ASSERT_EQ(before.status, read_status::fine);
  auto done = this->commit("a");
  ASSERT_EQ(done.status, commit_status::committed);
  EXPECT_GT(done.revision, before.head.revision);
  auto after = this->back_end().head(1'000);
  EXPECT_EQ(after.head.revision, done.revision);
  EXPECT_GE(after.store_revision, done.revision);
  EXPECT_EQ(protocol::decode_head_row(after.head.row)->sequence, 1u);
  auto late = this->back_end().commit(before.head, this->batch_on(before.head, "b"), 1'000);
  EXPECT_EQ(late.status, commit_status::conflict);
  EXPECT_EQ(late.revision, done.revision) << "the conflict names the head that was in the way";
}

TYPED_TEST(RegistryStore, GivesWholeRevisionsInOrder) {
  auto from = this->back_end().head(1'000).store_revision + 1;
  auto stream = this->back_end().changes(from);
  EXPECT_TRUE(stream->next(0).changes.empty());
  auto first = this->commit("a");
  auto second = this->commit("b");
  std::vector<store::revision_changes> seen;
  for (auto step = stream->next(0); !step.changes.empty(); step = stream->next(0)) {
    ASSERT_FALSE(step.end);
    seen.insert(seen.end(), step.changes.begin(), step.changes.end());
  }
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].revision, first.revision);
  EXPECT_EQ(seen[1].revision, second.revision);
  ASSERT_EQ(seen[0].rows.size(), 3u) << "the group, the log, the head";
  EXPECT_EQ(seen[0].rows[0].key, "a");
  EXPECT_EQ(seen[0].rows[2].table, store::registry_table::head);
}

TYPED_TEST(RegistryStore, LoadsEveryRowAtOneRevision) {
  this->commit("a");
  auto page = this->back_end().load({}, 1'000);
  ASSERT_EQ(page.status, read_status::fine);
  EXPECT_EQ(page.revision, this->back_end().head(1'000).store_revision);
  EXPECT_TRUE(page.last);
  EXPECT_EQ(page.head_revision, page.revision);
  std::set<std::string> keys;
  for (const auto& row : page.rows)
    keys.insert(store::key_text(row.table, row.key));
  EXPECT_EQ(keys, (std::set<std::string>{"group/a", "group/default", "head", "log/0000000000000001"}));
}

TEST(EmbeddedStore, WhatIsNoLongerInTheRingIsCompacted) {
  embedded_case of;
  auto commit = [&] {
    auto head = of.back_end.head(0).head;
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    ASSERT_EQ(of.back_end.commit(head, batch, 0).status, commit_status::committed);
  };
  for (std::size_t i = 0; i < embedded_store::ring_limit + 1; ++i)
    commit();
  EXPECT_EQ(of.back_end.changes(1)->next(0).end, watch_end::compacted);
  EXPECT_EQ(of.back_end.changes(2)->next(0).changes.size(), embedded_store::ring_limit);
}

TEST(EmbeddedStore, TheRingIsBoundedInBytes) {
  embedded_case of;
  for (int i = 0; i < 6; ++i) {
    auto head = of.back_end.head(0).head;
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    batch.log.audit = {{"a", "b", std::string(embedded_store::ring_limit_bytes / 4, 'x')}};
    ASSERT_EQ(of.back_end.commit(head, batch, 0).status, commit_status::committed);
  }
  EXPECT_EQ(of.back_end.changes(3)->next(0).end, watch_end::compacted);
  EXPECT_EQ(of.back_end.changes(4)->next(0).changes.size(), 3u);
}

TEST(MemoryStore, PagesAreOfOneRevisionAlsoWhenItGoesOn) {
  picket::testing::memory_store of;
  of.page_rows = 1;
  auto put = [&](const std::string& name) {
    of.put({{store::registry_table::groups, name, protocol::encode(protocol::group_row{})}});
  };
  put("b");
  auto first = of.load({}, 0);
  ASSERT_FALSE(first.last);
  put("c");
  std::vector<std::string> keys;
  for (auto page = first;; page = of.load({page.revision, page.after}, 0)) {
    ASSERT_EQ(page.status, read_status::fine);
    for (const auto& row : page.rows)
      keys.push_back(row.key);
    if (page.last) break;
  }
  EXPECT_EQ(keys, (std::vector<std::string>{"b", "default", ""})) << "and not c";
  of.compact(of.revision());
  EXPECT_EQ(of.load({first.revision, first.after}, 0).status, read_status::compacted);
  EXPECT_EQ(of.load({}, 0).status, read_status::fine);
}

} // namespace
} // namespace picket::registry
