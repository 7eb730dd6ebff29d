#include "actors/registry/batcher.hpp"

#include <gtest/gtest.h>

#include "actors/registry/replica.hpp"
#include "actors/testing/follow.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket::registry {
namespace {

constexpr std::int64_t wall_ms = 1'764'000'000'000;

/// A batcher on a replica of a memory store, stepped by the test in virtual time.
class Batcher : public ::testing::Test {
protected:
  void SetUp() override {
    context.node = 1;
    context.log = shared_log;
    make({});
  }
  void make(batcher_options options) {
    commands.reset();
    copy.reset();
    store::registry_options small;
    small.sync = store::durability::none;
    small.fresh_rows = false;
    tables.reset();
    auto opened = store::registry_tables::open(scratch.path() / "state", small);
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
    copy = std::make_unique<replica>(*tables, replica_options{"c"});
    testing::follow(*copy, store, now_ms);
    commands = std::make_unique<batcher>(*copy, context, options);
  }

  protocol::request_id offer(protocol::command_arguments arguments, std::int64_t limit_ms = 4'000) {
    protocol::command command;
    command.request = {1, 1, ++counter};
    command.made_ms = wall_ms + now_ms;
    command.arguments = std::move(arguments);
    offer_command(command, limit_ms);
    return command.request;
  }
  void offer_command(const protocol::command& command, std::int64_t limit_ms = 4'000) {
    commands->offer(command, now_ms + limit_ms, now_ms,
                    [this](const propose_answer& answer) { answers.push_back(answer); });
  }
  std::optional<commit_request> next() { return commands->next(now_ms, wall_ms + now_ms); }
  commit_outcome commit(const commit_request& request) {
    return store.commit(request.expected, request.batch, request.limit_ms);
  }
  /// Commits what there is; false: nothing was to be committed.
  bool step() {
    auto request = next();
    if (!request) return false;
    commands->finished(commit(*request), now_ms);
    return true;
  }
  /// Another node commits a group.
  std::uint64_t other_commits(const std::string& name) {
    auto head = store.head(0).head;
    store::registry_batch batch;
    batch.head = *protocol::decode_head_row(head.row);
    batch.head.sequence += 1;
    batch.writes = {{store::registry_table::groups, name, protocol::encode(protocol::group_row{})}};
    return store.commit(head, batch, 0).revision;
  }
  void pass(std::int64_t ms) { now_ms += ms; }

  picket::testing::scratch_directory scratch;
  picket::testing::memory_store store;
  std::unique_ptr<store::registry_tables> tables;
  std::unique_ptr<replica> copy;
  decide_context context;
  std::unique_ptr<batcher> commands;
  std::vector<propose_answer> answers;
  std::int64_t now_ms = 1'000;
  std::uint64_t counter = 0;
};

TEST_F(Batcher, AnOwnWriteIsInTheReplicaWhenItIsAnswered) {
  offer(protocol::group_put{"web"});
  ASSERT_TRUE(step());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::ok);
  EXPECT_TRUE(answers[0].visible);
  EXPECT_EQ(answers[0].revision, store.revision());
  EXPECT_TRUE(tables->read()->group("web")) << "before any watch";
  EXPECT_EQ(copy->applied(), store.revision());
}

TEST_F(Batcher, GathersWhileACommitIsOut) {
  offer(protocol::group_put{"a"});
  auto first = next();
  ASSERT_TRUE(first);
  for (int i = 0; i < 5; ++i)
    offer(protocol::group_put{"b" + std::to_string(i)});
  EXPECT_FALSE(next()) << "one transaction at a time";
  commands->finished(commit(*first), now_ms);
  auto second = next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->batch.log.commands.size(), 5u);
}

TEST_F(Batcher, AConflictIsDecidedAgainOnTheNewView) {
  offer(protocol::group_put{"web"});
  auto request = next();
  other_commits("web");
  commands->finished(commit(*request), now_ms);
  EXPECT_FALSE(next()) << "not before the replica has what was in the way";
  EXPECT_TRUE(answers.empty());
  testing::follow(*copy, store, now_ms);
  ASSERT_TRUE(step());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::refused) << "the other one was first";
  EXPECT_EQ(answers[0].result.code, static_cast<std::uint16_t>(errc::already_exists));
}

TEST_F(Batcher, AReplicaThatDoesNotComeIsWaitedForOneSecond) {
  offer(protocol::group_put{"web"});
  auto request = next();
  other_commits("db");
  commands->finished(commit(*request), now_ms);
  pass(999);
  EXPECT_FALSE(next());
  pass(2);
  EXPECT_TRUE(next());
}

TEST_F(Batcher, AnUnknownTryThatWasDoneIsFoundByItsRequest) {
  offer(protocol::group_put{"web"});
  auto request = next();
  ASSERT_EQ(commit(*request).status, commit_status::committed) << "and the answer is lost";
  commands->finished({commit_status::unknown, 0, {}}, now_ms);
  EXPECT_FALSE(next()) << "a pause first";
  pass(51);
  auto again = next();
  ASSERT_TRUE(again) << "decided on the old replica";
  EXPECT_EQ(again->limit_ms, 1'000) << "twice the time";
  commands->finished(commit(*again), now_ms);
  testing::follow(*copy, store, now_ms);
  EXPECT_FALSE(step()) << "nothing is left to commit";
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::ok);
  EXPECT_TRUE(answers[0].repeated);
}

TEST_F(Batcher, TheTryLimitDoublesToFourSecondsAndFallsBackAfterASuccess) {
  std::vector<std::int64_t> limits;
  offer(protocol::group_put{"web"}, 60'000);
  for (int i = 0; i < 5; ++i) {
    auto request = next();
    ASSERT_TRUE(request);
    limits.push_back(request->limit_ms);
    commands->finished({commit_status::unavailable, 0, {}}, now_ms);
    EXPECT_FALSE(next());
    pass(51);
  }
  EXPECT_EQ(limits, (std::vector<std::int64_t>{500, 1'000, 2'000, 4'000, 4'000}));
  ASSERT_TRUE(step());
  offer(protocol::group_put{"db"});
  EXPECT_EQ(next()->limit_ms, 500);
}

TEST_F(Batcher, AtItsDeadlineACommandIsUnknownOnlyIfATryMayStillBeDone) {
  offer(protocol::group_put{"never-left"}, 100);
  commands->finished({commit_status::unavailable, 0, {}}, now_ms);
  auto request = next();
  ASSERT_TRUE(request);
  commands->finished({commit_status::unavailable, 0, {}}, now_ms);
  pass(101);
  next();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::unavailable);

  offer(protocol::group_put{"may-be-done"}, 100);
  request = next();
  ASSERT_TRUE(request);
  commands->finished({commit_status::unknown, 0, {}}, now_ms);
  pass(101);
  next();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[1].how, proposed::unknown);
}

TEST_F(Batcher, AnUnknownTryIsDeadOnceAnotherBatchWasCommitted) {
  offer(protocol::group_put{"web"}, 200);
  auto request = next();
  commands->finished({commit_status::unknown, 0, {}}, now_ms);
  other_commits("db");
  testing::follow(*copy, store, now_ms);
  pass(51);
  ASSERT_TRUE(next());
  commands->finished({commit_status::unavailable, 0, {}}, now_ms);
  pass(200);
  next();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::unavailable) << "surely not done";
  EXPECT_EQ(commit(*request).status, commit_status::conflict) << "it arrives late and fails on the guard";
}

TEST_F(Batcher, ACommandWhoseDeadlinePassesWhileItsCommitIsOutIsUnknown) {
  offer(protocol::group_put{"web"}, 100);
  auto request = next();
  EXPECT_EQ(commands->wake_at_ms(), now_ms + 101);
  pass(101);
  next();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::unknown);
  commands->finished(commit(*request), now_ms);
  EXPECT_EQ(answers.size(), 1u) << "one answer, whatever comes";
}

TEST_F(Batcher, CommittedButNotSeenIsSaid) {
  offer(protocol::group_put{"web"});
  auto request = next();
  // The replica was loaded anew meanwhile and stands elsewhere.
  copy->doubt(request->expected);
  testing::follow(*copy, store, now_ms);
  other_commits("db");
  auto done = commit_outcome{commit_status::committed, store.revision() + 5, {}};
  commands->finished(done, now_ms);
  testing::follow(*copy, store, now_ms);
  EXPECT_TRUE(answers.empty() || answers[0].visible);
  pass(1'001);
  next();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::ok);
}

TEST_F(Batcher, OneRequestIsDoneOnceInOneBatchAndOverBatches) {
  protocol::command command;
  command.request = {1, 1, 77};
  command.arguments = protocol::group_put{"web"};
  offer_command(command);
  offer_command(command);
  ASSERT_TRUE(step());
  offer_command(command);
  EXPECT_FALSE(step());
  ASSERT_EQ(answers.size(), 3u);
  for (const auto& answer : answers)
    EXPECT_EQ(answer.how, proposed::ok);
  EXPECT_FALSE(answers[0].repeated);
  EXPECT_TRUE(answers[1].repeated);
  EXPECT_TRUE(answers[2].repeated);
}

TEST_F(Batcher, ARepeatWithinABatchThatFailedIsNotAnsweredAsDone) {
  batcher_options options;
  options.tries_again = false;
  make(options);
  protocol::command command;
  command.request = {1, 1, 77};
  command.arguments = protocol::group_put{"web"};
  offer_command(command);
  offer_command(command);
  ASSERT_TRUE(next());
  commands->finished({commit_status::unavailable, 0, {}}, now_ms);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].how, proposed::unavailable);
  EXPECT_EQ(answers[1].how, proposed::unavailable);
}

TEST_F(Batcher, TheOutcomeOfARequestIsFoundOrSurelyNotDone) {
  auto request = offer(protocol::group_put{"web"});
  ASSERT_TRUE(step());
  std::vector<outcome_answer> outcomes;
  auto ask = [&](const protocol::request_id& id, std::int64_t made_ms) {
    commands->ask_outcome(id, made_ms, {1, 1, ++counter}, now_ms + 1'000, now_ms,
                          [&](const outcome_answer& answer) { outcomes.push_back(answer); });
    step();
  };
  ask(request, wall_ms);
  ask({1, 1, 4'711}, wall_ms + now_ms);
  ask({1, 1, 4'711}, wall_ms - 11 * 60'000);
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].status, outcome_status::found);
  EXPECT_TRUE(outcomes[0].result.done());
  EXPECT_EQ(outcomes[1].status, outcome_status::not_done);
  EXPECT_EQ(outcomes[2].status, outcome_status::unavailable) << "the log may have forgotten it";
  store.answer = commit_outcome{commit_status::unavailable, 0, {}};
  ask(request, wall_ms);
  pass(1'001);
  next();
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(outcomes[3].status, outcome_status::unavailable);
}

TEST_F(Batcher, AFenceKillsATransactionThatIsStillOnItsWay) {
  auto id = offer(protocol::group_put{"web"}, 100);
  auto on_its_way = next();
  commands->finished({commit_status::unknown, 0, {}}, now_ms);
  pass(101);
  next();
  ASSERT_EQ(answers.back().how, proposed::unknown);
  outcome_answer outcome;
  commands->ask_outcome(id, wall_ms + now_ms, {1, 1, ++counter}, now_ms + 1'000, now_ms,
                        [&](const outcome_answer& answer) { outcome = answer; });
  ASSERT_TRUE(step());
  EXPECT_EQ(outcome.status, outcome_status::not_done);
  EXPECT_EQ(commit(*on_its_way).status, commit_status::conflict);
}

TEST_F(Batcher, ARepeatAfterTenMinutesIsRefused) {
  protocol::command command;
  command.request = {1, 1, 77};
  command.made_ms = wall_ms;
  command.arguments = protocol::group_put{"web"};
  offer(protocol::group_put{"clock"});
  pass(11 * 60'000);
  ASSERT_TRUE(next() || true);
  answers.clear();
  offer(protocol::group_put{"later"});
  ASSERT_TRUE(step());
  offer_command(command);
  step();
  EXPECT_EQ(answers.back().how, proposed::too_late);
  EXPECT_FALSE(tables->read()->group("web"));
}

TEST_F(Batcher, WhatIsTooLargeTogetherGoesAlone) {
  for (int i = 0; i < 3; ++i)
    offer(protocol::group_put{"g" + std::to_string(i)});
  store.most_operations = 3; // one row, the log, the head
  ASSERT_TRUE(step());
  EXPECT_TRUE(answers.empty());
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(step());
  EXPECT_EQ(answers.size(), 3u);
  store.most_operations = 2;
  offer(protocol::group_put{"g3"});
  ASSERT_TRUE(step());
  EXPECT_EQ(answers.back().how, proposed::refused);
  EXPECT_EQ(answers.back().result.code, static_cast<std::uint16_t>(errc::limit_reached));
}

TEST_F(Batcher, ABatchStaysWithinItsRows) {
  for (int i = 0; i < 130; ++i)
    offer(protocol::group_put{"g" + std::to_string(i)});
  auto request = next();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->batch.writes.size(), 120u);
  EXPECT_EQ(commit(*request).status, commit_status::committed) << "under the limit of 128 operations";
}

TEST_F(Batcher, ABatchHasEachKeyOnce) {
  protocol::agent_add add;
  add.name = "web-01";
  add.key = std::string(64, 'a');
  add.address = "any";
  offer(add);
  offer(protocol::agent_groups{1, protocol::groups_change::set, {"default"}});
  offer(protocol::agent_remove{{1}, "gone"});
  auto request = next();
  ASSERT_TRUE(request);
  EXPECT_EQ(request->batch.writes.size(), 2u) << "the agent's row, and that it was removed";
  commands->finished(commit(*request), now_ms);
  EXPECT_EQ(answers.size(), 3u);
  EXPECT_FALSE(tables->read()->agent(1));
  EXPECT_TRUE(tables->read()->removed(1));
}

TEST_F(Batcher, LimitsWhatWaits) {
  batcher_options options;
  options.queue_commands = 3;
  make(options);
  for (int i = 0; i < 4; ++i)
    offer(protocol::group_put{"g" + std::to_string(i)});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::busy);
  options.queue_commands = 1'000;
  options.queue_bytes = 1'000;
  make(options);
  answers.clear();
  for (int i = 0; i < 10; ++i)
    offer(protocol::group_put{"g" + std::to_string(i)});
  EXPECT_FALSE(answers.empty());
  EXPECT_GT(commands->waiting(), 0u);
}

TEST_F(Batcher, WithoutAQuorumItSaysSoAtOnce) {
  commands->set_quorum(false);
  offer(protocol::group_put{"web"});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::unavailable);
  commands->set_quorum(true);
  offer(protocol::group_put{"web"});
  EXPECT_TRUE(step());
}

TEST_F(Batcher, AFullStoreIsSaidAtOnce) {
  offer(protocol::group_put{"web"});
  ASSERT_TRUE(next());
  commands->finished({commit_status::no_space, 0, error{errc::store_full, "quota", {}, {}}}, now_ms);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].how, proposed::unavailable);
  auto why = commands->take_failure();
  ASSERT_TRUE(why);
  EXPECT_EQ(why->code, errc::store_full);
}

TEST_F(Batcher, TheLogIsTrimmedByAgeAndByNumber) {
  context.log = {1'000, 5, 0};
  make({});
  for (int i = 0; i < 10; ++i) {
    offer(protocol::group_put{"g" + std::to_string(i)});
    ASSERT_TRUE(step());
  }
  EXPECT_EQ(tables->read()->head().log_from, 1u) << "young rows stay, however many";
  auto bytes = tables->read()->head().log_bytes;
  pass(5'000);
  offer(protocol::group_put{"last"});
  ASSERT_TRUE(step());
  EXPECT_EQ(tables->read()->head().log_from, 6u) << "old rows go, but for the newest five before this batch";
  EXPECT_LT(tables->read()->head().log_bytes, bytes);
  EXPECT_FALSE(tables->read()->logged(5));
  EXPECT_TRUE(tables->read()->logged(6));
  EXPECT_EQ(tables->check_consistency(), "");
  std::uint64_t kept = 0;
  for (const auto& [key, row] : store.rows_at(store.revision()))
    if (key.rfind("log/", 0) == 0) kept += row.size();
  EXPECT_EQ(tables->read()->head().log_bytes, kept) << "and the head knows how much is left";
}

TEST_F(Batcher, AFullLogTakesNothingUntilTimeHasPassed) {
  context.log = {1'000, 1, 200};
  make({});
  for (int i = 0; i < 20 && answers.size() == static_cast<std::size_t>(i); ++i) {
    offer(protocol::group_put{"g" + std::to_string(i)});
    step();
    if (answers.back().how == proposed::busy) break;
  }
  ASSERT_EQ(answers.back().how, proposed::busy);
  pass(2'000);
  offer(protocol::group_put{"again"});
  ASSERT_TRUE(step());
  EXPECT_EQ(answers.back().how, proposed::ok);
}

TEST_F(Batcher, AConflictWithAHeadThatIsNotNewerMeansAnotherHistory) {
  offer(protocol::group_put{"a"});
  ASSERT_TRUE(step());
  offer(protocol::group_put{"b"});
  auto request = next();
  commands->finished({commit_status::conflict, request->expected.revision, {}}, now_ms);
  EXPECT_TRUE(copy->loading());
  EXPECT_EQ(copy->take_alarm(), replica_alarm::store_went_back);
}

} // namespace
} // namespace picket::registry
