// What the registry relies on in etcd, against the real program: the guard, whole revisions, pages at one
// revision, what is said when a revision is gone, a transaction is too large or the store is full, and what a
// client sees of members that die or stand still.

#include <csignal>

#include <gtest/gtest.h>

#include "actors/registry/etcd_store.hpp"
#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"
#include "cluster-tests/etcd_contract/etcd_members.hpp"
#include "cluster-tests/etcd_contract/registry_driver.hpp"
#include "cluster-tests/harness/node_process.hpp"
#include "store/registry/key_text.hpp"

namespace picket::etcd_contract {
namespace {

using namespace registry;
using store::registry_table;

constexpr std::int64_t limit_ms = 5'000;

class EtcdContract : public ::testing::Test {
protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);
    if (!etcd_is_installed()) GTEST_SKIP() << "needs Debian's package etcd-server";
  }
  void begin(const members_options& options = {}) {
    members = std::make_unique<etcd_members>(scratch.path() / "etcd", options);
    ASSERT_TRUE(members->wait_until_ready()) << scratch.read("etcd/m0.log");
    store = std::make_unique<etcd_store>(options_of());
    ASSERT_EQ(seed(*store).status, commit_status::committed);
  }
  etcd_store_options options_of(int first = 0) { return {members->access(first), "c1", 0}; }

  store::registry_batch batch_on(const expected_head& head, std::vector<store::row_write> writes) {
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    batch.head.time_ms += 1;
    batch.writes = std::move(writes);
    return batch;
  }
  static store::row_write group(const std::string& name, std::size_t padding = 0) {
    protocol::group_row row;
    if (padding != 0) row.unknown = {{"pad", "\xdb" + be32(padding) + std::string(padding, 'x')}};
    return {registry_table::groups, name, protocol::encode(row)};
  }
  static std::string be32(std::size_t number) { return store::key_of(number, 4); }
  commit_outcome commit(std::vector<store::row_write> writes) {
    auto head = store->head(limit_ms).head;
    return store->commit(head, batch_on(head, std::move(writes)), limit_ms);
  }
  void compact(std::uint64_t revision) {
    auto said = members->post(0, "/v3/kv/compaction",
                              R"({"revision":")" + std::to_string(revision) + R"(","physical":true})");
    ASSERT_NE(said.find("header"), std::string::npos) << said;
  }
  std::vector<store::revision_changes> read(change_stream& stream, std::size_t revisions) {
    std::vector<store::revision_changes> seen;
    harness::eventually([&] {
      auto step = stream.next(50);
      EXPECT_FALSE(step.end) << to_string(step.why);
      seen.insert(seen.end(), step.changes.begin(), step.changes.end());
      return step.end || seen.size() >= revisions;
    });
    return seen;
  }

  picket::testing::scratch_directory scratch;
  std::unique_ptr<etcd_members> members;
  std::unique_ptr<etcd_store> store;
};

TEST_F(EtcdContract, TheGuardIsTheHeadsRevisionAndItsBytes) {
  begin();
  auto before = store->head(limit_ms);
  ASSERT_EQ(before.status, read_status::fine) << to_string(before.why);
  auto done = commit({group("a")});
  ASSERT_EQ(done.status, commit_status::committed) << to_string(done.why);
  EXPECT_EQ(store->head(limit_ms).head.revision, done.revision);
  auto late = store->commit(before.head, batch_on(before.head, {group("b")}), limit_ms);
  EXPECT_EQ(late.status, commit_status::conflict);
  EXPECT_EQ(late.revision, done.revision) << "the failure branch brings what is there";
  auto other = store->head(limit_ms).head;
  auto batch = batch_on(other, {group("b")});
  other.row += "x";
  EXPECT_EQ(store->commit(other, batch, limit_ms).status, commit_status::conflict)
      << "the same revision of another history";
  EXPECT_EQ(seed(*store).status, commit_status::conflict) << "there must be no head, and there is one";
}

TEST_F(EtcdContract, AWatchGivesWholeRevisionsInOrder) {
  begin();
  auto from = store->head(limit_ms).store_revision + 1;
  auto stream = store->changes(from);
  auto head = store->head(limit_ms).head;
  auto batch = batch_on(head, {group("a"), group("b"), {registry_table::groups, "default", std::nullopt}});
  batch.trim_log_from = 1;
  batch.trim_log_to = 2;
  auto first = store->commit(head, batch, limit_ms);
  ASSERT_EQ(first.status, commit_status::committed) << to_string(first.why);
  auto second = commit({group("c")});
  auto seen = read(*stream, 2);
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].revision, first.revision);
  EXPECT_EQ(seen[1].revision, second.revision);
  std::map<std::string, bool> rows;
  for (const auto& row : seen[0].rows)
    rows[store::key_text(row.table, row.key)] = row.row.has_value();
  EXPECT_EQ(rows, (std::map<std::string, bool>{{"group/a", true},
                                               {"group/b", true},
                                               {"group/default", false},
                                               {"head", true},
                                               {"log/0000000000000001", false},
                                               {"log/0000000000000002", true}}));
}

TEST_F(EtcdContract, PagesAreOfOneRevision) {
  begin();
  for (int i = 0; i < 5; ++i)
    commit({group("g" + std::to_string(i))});
  store->page_rows = 3;
  auto page = store->load({}, limit_ms);
  ASSERT_EQ(page.status, read_status::fine) << to_string(page.why);
  EXPECT_FALSE(page.last);
  auto revision = page.revision;
  commit({group("later")});
  std::set<std::string> keys;
  std::optional<std::uint64_t> head;
  for (;; page = store->load({page.revision, page.after}, limit_ms)) {
    ASSERT_EQ(page.status, read_status::fine) << to_string(page.why);
    EXPECT_EQ(page.revision, revision);
    if (page.head_revision) head = page.head_revision;
    for (const auto& row : page.rows)
      EXPECT_TRUE(keys.insert(store::key_text(row.table, row.key)).second);
    if (page.last) break;
  }
  EXPECT_EQ(keys.size(), 13u) << "six groups, the head, six rows of the log";
  EXPECT_EQ(keys.count("group/later"), 0u);
  EXPECT_EQ(head, revision);
}

TEST_F(EtcdContract, PagesThatAreTooLargeBecomeSmaller) {
  begin();
  for (int i = 0; i < 8; ++i)
    ASSERT_EQ(commit({group("g" + std::to_string(i), 30'000)}).status, commit_status::committed);
  auto options = options_of();
  options.access.answer_limit_bytes = 100'000;
  etcd_store narrow{options};
  std::set<std::string> keys;
  load_position at;
  int failures = 0;
  for (int i = 0; i < 100; ++i) {
    auto page = narrow.load(at, limit_ms);
    if (page.status != read_status::fine) {
      EXPECT_EQ(page.why.code, errc::limit_reached) << to_string(page.why);
      ++failures;
      continue;
    }
    for (const auto& row : page.rows)
      keys.insert(store::key_text(row.table, row.key));
    if (page.last) break;
    at = {page.revision, page.after};
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(keys.size(), 19u) << "nine groups, the head, nine rows of the log";
}

TEST_F(EtcdContract, WhatIsCompactedIsSaid) {
  begin();
  auto old = store->head(limit_ms).store_revision;
  for (int i = 0; i < 3; ++i)
    commit({group("g" + std::to_string(i))});
  compact(store->head(limit_ms).store_revision);
  EXPECT_EQ(store->load({old, ""}, limit_ms).status, read_status::compacted);
  EXPECT_EQ(store->load({old + 1'000, ""}, limit_ms).status, read_status::compacted) << "and one to come";
  EXPECT_EQ(store->load({}, limit_ms).status, read_status::fine);
  auto stream = store->changes(old);
  std::optional<watch_end> end;
  harness::eventually([&] {
    auto step = stream->next(50);
    end = step.end;
    return end.has_value();
  });
  EXPECT_EQ(end, watch_end::compacted);
}

TEST_F(EtcdContract, ATransactionThatIsTooLargeIsRefused) {
  begin();
  EXPECT_EQ(commit({group("big", 2U << 20U)}).status, commit_status::too_large);
  std::vector<store::row_write> many;
  for (int i = 0; i < 1'100; ++i)
    many.push_back(group("g" + std::to_string(i)));
  EXPECT_EQ(commit(many).status, commit_status::too_large);
  EXPECT_EQ(commit({group("twice"), group("twice")}).status, commit_status::too_large);
  many.resize(120);
  EXPECT_EQ(commit(many).status, commit_status::committed);
}

TEST_F(EtcdContract, AFullStoreRefusesAndReadsGoOn) {
  begin({1, "8388608"});
  commit_outcome last;
  for (int i = 0; i < 60; ++i) {
    last = commit({group("g" + std::to_string(i), 500'000)});
    if (last.status != commit_status::committed) break;
  }
  EXPECT_EQ(last.status, commit_status::no_space) << to_string(last.why);
  EXPECT_EQ(store->head(limit_ms).status, read_status::fine);
  EXPECT_EQ(store->load({}, limit_ms).status, read_status::fine);
}

TEST_F(EtcdContract, AnotherClusterIsNotSpokenTo) {
  begin();
  auto options = options_of();
  options.etcd_cluster = store->etcd_cluster() + 1;
  etcd_store other{options};
  auto head = store->head(limit_ms).head;
  EXPECT_EQ(other.head(limit_ms).status, read_status::wrong_cluster);
  EXPECT_EQ(other.load({}, limit_ms).status, read_status::wrong_cluster);
  auto stream = other.changes(1);
  std::optional<watch_end> end;
  harness::eventually([&] {
    end = stream->next(50).end;
    return end.has_value();
  });
  EXPECT_EQ(end, watch_end::wrong_cluster);
}

TEST_F(EtcdContract, AClientWithoutACertificateGetsNothing) {
  begin();
  auto options = options_of();
  options.access.certificate_file.clear();
  options.access.key_file.clear();
  etcd_store stranger{options};
  EXPECT_EQ(stranger.head(limit_ms).status, read_status::unavailable);
  auto head = store->head(limit_ms).head;
  EXPECT_NE(stranger.commit(head, batch_on(head, {group("a")}), limit_ms).status, commit_status::committed);
  EXPECT_EQ(store->head(limit_ms).head, head);
}

TEST_F(EtcdContract, AMemberThatIsKilledOrFrozenIsLeftForTheNext) {
  begin({3, "0"});
  auto leader = members->leader();
  ASSERT_GE(leader, 0);
  auto follower = (leader + 1) % 3;
  etcd_store here{options_of(follower)};
  auto stream = here.changes(store->head(limit_ms).store_revision + 1);
  ASSERT_EQ(here.head(limit_ms).status, read_status::fine);
  auto head = here.head(limit_ms).head;
  ASSERT_EQ(here.commit(head, batch_on(head, {group("a")}), limit_ms).status, commit_status::committed);
  ASSERT_EQ(read(*stream, 1).size(), 1u);

  members->freeze(follower);
  head = store->head(limit_ms).head;
  auto began_ms = steady_clock_ms();
  auto frozen = here.commit(head, batch_on(head, {group("b")}), 500);
  EXPECT_EQ(frozen.status, commit_status::unknown) << "it was sent, and nobody answers";
  EXPECT_LT(steady_clock_ms() - began_ms, 3'000);
  EXPECT_EQ(here.endpoint(), members->access(follower).endpoints[1]) << "the next one is asked";
  auto again = here.commit(head, batch_on(head, {group("b")}), limit_ms);
  EXPECT_EQ(again.status, commit_status::committed) << to_string(again.why);
  EXPECT_EQ(here.head(500).status, read_status::unavailable) << "the probe's own connection was there too";
  EXPECT_EQ(here.head(limit_ms).head.revision, again.revision);
  auto silent = stream->next(500);
  EXPECT_FALSE(silent.end) << "a frozen member keeps the watch open and says nothing";
  EXPECT_TRUE(silent.changes.empty());
  stream = here.changes(again.revision);
  EXPECT_EQ(read(*stream, 1).size(), 1u) << "another member has it";
  members->thaw(follower);

  ASSERT_TRUE(members->wait_until_ready());
  leader = members->leader();
  ASSERT_GE(leader, 0);
  etcd_store at_leader{options_of(leader)};
  ASSERT_EQ(at_leader.head(limit_ms).status, read_status::fine);
  stream = at_leader.changes(again.revision);
  read(*stream, 1);
  members->kill(leader);
  bool ended = harness::eventually([&] { return stream->next(50).end.has_value(); });
  EXPECT_TRUE(ended) << "a killed member's watch ends";
  EXPECT_TRUE(harness::eventually([&] { return at_leader.head(500).status == read_status::fine; }));
}

/// Nodes as they will be, on real members of which one dies and one stands still: what is acknowledged is
/// there once, on every node.
TEST_F(EtcdContract, NodesGoOnWhenMembersDie) {
  begin({3, "0"});
  std::vector<std::unique_ptr<driven_node>> nodes;
  for (int i = 0; i < 2; ++i)
    nodes.push_back(
        std::make_unique<driven_node>(i + 1, scratch.path() / ("n" + std::to_string(i)), options_of(i)));
  auto step_all = [&] {
    for (auto& one : nodes)
      one->step();
  };
  ASSERT_TRUE(harness::eventually([&] {
    step_all();
    return nodes[0]->copy().usable() && nodes[1]->copy().usable();
  }));
  int offered = 0;
  auto offer_some = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ++offered;
      nodes[static_cast<std::size_t>(offered % 2)]->add_agent("agent-" + std::to_string(offered));
    }
  };
  auto answered = [&] {
    step_all();
    return nodes[0]->answers.size() + nodes[1]->answers.size() == static_cast<std::size_t>(offered);
  };
  offer_some(20);
  ASSERT_TRUE(harness::eventually(answered));
  auto leader = members->leader();
  members->kill(leader);
  offer_some(20);
  ASSERT_TRUE(harness::eventually(answered));
  members->start(leader);
  ASSERT_TRUE(members->wait_until_ready());
  members->freeze((leader + 1) % 3);
  offer_some(20);
  ASSERT_TRUE(harness::eventually(answered));
  members->thaw((leader + 1) % 3);
  ASSERT_TRUE(harness::eventually([&] {
    step_all();
    auto newest = store->head(limit_ms).head.revision;
    return nodes[0]->copy().mark().head_revision == newest && nodes[1]->copy().mark().head_revision == newest;
  }));
  EXPECT_EQ(nodes[0]->tables().read()->all_rows(), nodes[1]->tables().read()->all_rows());
  std::size_t fine = 0;
  for (auto& one : nodes) {
    EXPECT_EQ(one->tables().check_consistency(), "");
    for (const auto& [name, answer] : one->answers) {
      auto there = nodes[0]->tables().read()->agent_by_name(name);
      if (answer.how == proposed::ok) {
        ++fine;
        EXPECT_EQ(there, answer.result.agent) << name;
      } else if (answer.how == proposed::unavailable) {
        EXPECT_FALSE(there) << name;
      }
    }
  }
  EXPECT_GT(fine, 30u) << "most get through within their four seconds";
}

} // namespace
} // namespace picket::etcd_contract
