#include "actors/dispatcher/dispatcher.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"

namespace picket {
namespace {

/// Batches of the test, by shard, in order.
struct scripted_source final : work_source {
  work_ptr take(shard_id shard) override {
    auto& queue = waiting[shard];
    if (queue.empty()) return nullptr;
    auto made = std::make_shared<work>();
    made->shard = shard;
    made->id = {1, 1, queue.front()};
    made->attempt = first_attempt;
    for (auto& bytes : records)
      made->records.push_back({7, 0, 1'000, record_kind::sealed, bytes});
    queue.pop_front();
    return made;
  }
  void count_attempts(const work& what, std::uint32_t attempts) override {
    counted.emplace_back(what.id.sequence, attempts);
  }
  bool finish(const work& done) override {
    finished.push_back(done.id.sequence);
    return !waiting[done.shard].empty();
  }
  std::optional<std::int64_t> oldest_arrival_ms() const override { return {}; }

  std::map<shard_id, std::deque<std::uint64_t>> waiting;
  std::vector<std::uint64_t> finished;
  std::vector<std::pair<std::uint64_t, std::uint32_t>> counted;
  std::uint32_t first_attempt = 1;
  std::vector<std::string> records{"a", "b", "c"};
};

/// An examiner that remembers what it was asked, and answers what the test says.
struct examiner_script {
  std::vector<std::uint64_t> examined;
  std::vector<std::uint64_t> aside;
  std::vector<std::string> records; ///< of the last order
  std::vector<std::uint32_t> left_out;
  bool answers = true;
  bool settles = true; ///< the disk takes letters
};

using examined_promise = caf::typed_response_promise<examined>;

examiner_actor::behavior_type fake_examiner(examiner_actor::pointer self, examiner_script* script) {
  auto answer = [self, script](const examination_order_ptr& order) {
    script->records.clear();
    for (const auto& record : order->records)
      script->records.push_back(record.bytes);
    auto promise = self->make_response_promise<examined>();
    if (script->answers) promise.deliver(examined{script->left_out, script->settles});
    return promise;
  };
  return {[script, answer](examine_atom, const examination_order_ptr& order) -> examined_promise {
            script->examined.push_back(order->batch.sequence);
            return answer(order);
          },
          [script, answer](aside_atom, const examination_order_ptr& order) -> examined_promise {
            script->aside.push_back(order->batch.sequence);
            return answer(order);
          },
          [](tick_atom) {}};
}

/// An executor that keeps what it is given until the test says so. Its decoder stands for both halves.
struct fake_executor_state {
  std::vector<work_ptr>* inbox = nullptr;
};

decoder_actor::behavior_type fake_decoder(decoder_actor::stateful_pointer<fake_executor_state>,
                                          std::vector<work_ptr>* inbox) {
  return {[inbox](open_atom, const work_ptr& what) { inbox->push_back(what); }};
}

rule_actor::behavior_type fake_rule(rule_actor::pointer) {
  return {[](evaluate_atom, const work_ptr&) {}};
}

class Dispatcher : public testing::deterministic_actors {
protected:
  void start(std::size_t executors, std::size_t shards = 4, std::vector<shard_id> suspects = {}) {
    dispatcher_setup setup;
    setup.examiner = spawn(fake_examiner, &examiner);
    setup.suspects = std::move(suspects);
    setup.shards = shards;
    setup.executors = executors;
    setup.source = source;
    setup.make_state = [] { return std::make_shared<engine::shard_state>(); };
    setup.make_executor = [this] {
      executor made{sys.spawn(fake_decoder, &inbox), sys.spawn(fake_rule)};
      made_executors.push_back(made);
      return made;
    };
    setup.counts = counts;
    setup.log = log;
    actor = spawn(dispatcher, setup);
  }

  void TearDown() override {
    for (auto& one : made_executors) {
      self->send_exit(one.decoder, caf::exit_reason::kill);
      self->send_exit(one.rule, caf::exit_reason::kill);
    }
    actor = nullptr;
    made_executors.clear();
    inbox.clear();
    deterministic_actors::TearDown();
  }

  void bring(shard_id shard, std::uint64_t sequence) {
    source->waiting[shard].push_back(sequence);
    tell(actor, ready_atom_v, shard);
  }

  void settle(std::size_t index) {
    auto what = inbox[index];
    inbox.erase(inbox.begin() + static_cast<long>(index));
    tell(actor, done_atom_v, what);
  }

  dispatch_status status() {
    auto answer = ask<dispatch_status>(actor, status_atom_v);
    return answer ? *answer : dispatch_status{};
  }

  void kill_executor() {
    inbox.clear();
    self->send_exit(made_executors.back().rule, caf::exit_reason::kill);
    run();
  }

  examiner_script examiner;
  std::shared_ptr<scripted_source> source = std::make_shared<scripted_source>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  std::vector<executor> made_executors;
  std::vector<work_ptr> inbox;
  dispatcher_actor actor;
};

TEST_F(Dispatcher, RunsOneBatchOfAShardAtATimeAndInOrder) {
  start(2);
  for (std::uint64_t sequence : {1, 2, 3})
    bring(0, sequence);
  ASSERT_EQ(inbox.size(), 1u) << "the second executor stays free: order within a shard comes first";
  settle(0);
  ASSERT_EQ(inbox.size(), 1u);
  settle(0);
  settle(0);
  EXPECT_EQ(source->finished, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(Dispatcher, TheShardThatHasWaitedLongestGoesFirst) {
  start(1);
  bring(0, 1);
  bring(2, 3);
  bring(1, 2);
  bring(0, 4);
  std::vector<std::uint64_t> order;
  while (!inbox.empty()) {
    order.push_back(inbox[0]->id.sequence);
    settle(0);
  }
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 3, 2, 4})) << "shard 0 queues again behind the others";
}

TEST_F(Dispatcher, TheStateOfAShardGoesWithItsWork) {
  start(2);
  bring(0, 1);
  auto state = inbox[0]->state;
  ASSERT_TRUE(state);
  bring(1, 2);
  EXPECT_NE(inbox[1]->state, state);
  settle(0);
  bring(0, 3);
  EXPECT_EQ(inbox[1]->state, state);
}

TEST_F(Dispatcher, ABatchOfADeadExecutorRunsAgainOnANewOne) {
  start(1);
  bring(0, 1);
  auto lost = inbox[0];
  inbox.clear();
  self->send_exit(made_executors[0].decoder, caf::exit_reason::kill);
  run();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->id.sequence, 1u);
  EXPECT_EQ(inbox[0]->attempt, 2u);
  EXPECT_EQ(status().requeued, 1u);
  tell(actor, done_atom_v, lost);
  EXPECT_TRUE(source->finished.empty()) << "the late result of the dead one settles nothing";
  settle(0);
  EXPECT_EQ(source->finished, std::vector<std::uint64_t>{1});
}

TEST_F(Dispatcher, TheThirdAttemptLeavesOutWhatTheExaminerFinds) {
  start(1);
  bring(0, 1);
  kill_executor();
  EXPECT_TRUE(examiner.examined.empty());
  examiner.left_out = {1};
  kill_executor();
  EXPECT_EQ(examiner.examined, std::vector<std::uint64_t>{1});
  EXPECT_EQ(examiner.records, (std::vector<std::string>{"a", "b", "c"}));
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->attempt, 3u);
  EXPECT_EQ(inbox[0]->records[0].kind, record_kind::sealed);
  EXPECT_EQ(inbox[0]->records[1].kind, record_kind::left_out);
  EXPECT_EQ(inbox[0]->records[1].bytes, "b") << "it keeps its place, so the others keep their ids";
  settle(0);
  EXPECT_EQ(source->finished, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(examiner.aside.empty());
}

TEST_F(Dispatcher, AfterThreeAttemptsABatchIsSetAsideAndTheShardGoesOn) {
  start(1);
  bring(0, 1);
  source->waiting[0].push_back(2);
  for (int death = 0; death < 3; ++death)
    kill_executor();
  EXPECT_EQ(examiner.aside, std::vector<std::uint64_t>{1});
  EXPECT_EQ(source->finished, std::vector<std::uint64_t>{1}) << "its room is free";
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->id.sequence, 2u);
}

TEST_F(Dispatcher, ABatchWithWhichTwoProcessesDiedIsExaminedFirst) {
  start(1);
  source->first_attempt = 3;
  examiner.answers = false;
  bring(0, 1);
  EXPECT_EQ(examiner.examined, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(inbox.empty());
  using counted = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
  EXPECT_EQ(source->counted, (counted{{1, 2}})) << "a stop meanwhile does not count as its third attempt";
}

TEST_F(Dispatcher, ItsThirdAttemptCountsWhenItBegins) {
  start(1);
  source->first_attempt = 3;
  bring(0, 1);
  EXPECT_EQ(inbox.size(), 1u);
  using counted = std::vector<std::pair<std::uint64_t, std::uint32_t>>;
  EXPECT_EQ(source->counted, (counted{{1, 2}, {1, 3}}));
}

TEST_F(Dispatcher, ABatchWithWhichThreeProcessesDiedIsSetAsideUnseen) {
  start(1);
  source->first_attempt = 4;
  bring(0, 1);
  EXPECT_TRUE(inbox.empty());
  EXPECT_EQ(examiner.aside, std::vector<std::uint64_t>{1});
  source->first_attempt = 1;
  bring(0, 2);
  EXPECT_EQ(inbox.size(), 1u) << "and the shard goes on";
}

TEST_F(Dispatcher, WhileABatchIsExaminedItsShardWaitsAndOthersRun) {
  start(1);
  examiner.answers = false;
  source->first_attempt = 3;
  bring(0, 1);
  source->first_attempt = 1;
  bring(0, 2);
  bring(1, 3);
  ASSERT_EQ(inbox.size(), 1u) << "its executor is free";
  EXPECT_EQ(inbox[0]->id.sequence, 3u);
  settle(0);
  EXPECT_TRUE(inbox.empty()) << "what comes behind it waits";
}

TEST_F(Dispatcher, TheExaminerIsAskedForOneBatchAtATime) {
  start(2);
  examiner.answers = false;
  source->first_attempt = 3;
  bring(0, 1);
  bring(1, 2);
  EXPECT_EQ(examiner.examined, std::vector<std::uint64_t>{1});
  examiner.answers = true;
  advance(std::chrono::milliseconds{examine_limit_ms + 1'000}, std::chrono::seconds{1});
  EXPECT_EQ(examiner.examined, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(inbox.size(), 2u);
}

TEST_F(Dispatcher, WithoutAnAnswerOfTheExaminerTheLastAttemptIsMadeAsItIs) {
  start(1);
  examiner.answers = false;
  source->first_attempt = 3;
  bring(0, 1);
  EXPECT_TRUE(inbox.empty());
  advance(std::chrono::milliseconds{examine_limit_ms + 1'000}, std::chrono::seconds{1});
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->records[1].kind, record_kind::sealed);
}

TEST_F(Dispatcher, SettingAsideIsAskedAgainUntilItIsDone) {
  start(1);
  examiner.answers = false;
  source->first_attempt = 4;
  bring(0, 1);
  examiner.answers = true;
  EXPECT_TRUE(source->finished.empty()) << "until it is answered the batch stays in the pool";
  advance(std::chrono::milliseconds{examine_limit_ms + 1'000}, std::chrono::seconds{1});
  EXPECT_EQ(examiner.aside, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_EQ(source->finished, std::vector<std::uint64_t>{1});
}

TEST_F(Dispatcher, BatchesOfOneShardThatAreSetAsideComeOneAfterTheOther) {
  start(1);
  source->first_attempt = 4;
  source->waiting[0] = {1, 2};
  bring(0, 3);
  EXPECT_EQ(examiner.aside, (std::vector<std::uint64_t>{1, 2, 3})) << "each once";
  EXPECT_EQ(source->finished, (std::vector<std::uint64_t>{1, 2, 3}));
  source->first_attempt = 1;
  bring(1, 4);
  EXPECT_EQ(inbox.size(), 1u) << "and no executor was freed twice";
  EXPECT_EQ(status().busy, 1u);
}

TEST_F(Dispatcher, WhileItsLettersCannotBeWrittenABatchWaitsAndOthersRun) {
  start(1);
  examiner.settles = false;
  bring(0, 1);
  kill_executor();
  kill_executor();
  EXPECT_EQ(examiner.examined, std::vector<std::uint64_t>{1});
  EXPECT_TRUE(inbox.empty()) << "what is fatal in it would be run";
  bring(1, 2);
  ASSERT_EQ(inbox.size(), 1u) << "the executor is free for others";
  EXPECT_EQ(inbox[0]->id.sequence, 2u);
  settle(0);
  advance(postpone_wait, std::chrono::seconds{1});
  EXPECT_EQ(examiner.examined, (std::vector<std::uint64_t>{1, 1}));
  EXPECT_TRUE(inbox.empty());
  examiner.settles = true;
  examiner.left_out = {1};
  advance(postpone_wait, std::chrono::seconds{1});
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->id.sequence, 1u);
  EXPECT_EQ(inbox[0]->attempt, 3u);
  EXPECT_EQ(inbox[0]->records[1].kind, record_kind::left_out);
  examiner.settles = false;
  kill_executor();
  EXPECT_EQ(examiner.aside, std::vector<std::uint64_t>{1});
  EXPECT_EQ(source->finished, std::vector<std::uint64_t>{2});
  advance(postpone_wait, std::chrono::seconds{1});
  EXPECT_EQ(examiner.aside, (std::vector<std::uint64_t>{1, 1})) << "nor is it examined once more";
  examiner.settles = true;
  advance(postpone_wait, std::chrono::seconds{1});
  EXPECT_EQ(source->finished, (std::vector<std::uint64_t>{2, 1}));
}

TEST_F(Dispatcher, WhatAnEarlierProcessHadBegunRunsAlone) {
  start(3, 4, {2, 1});
  bring(0, 1);
  ASSERT_EQ(inbox.size(), 1u) << "nothing is known against this one, and the others are not here yet";
  bring(2, 2);
  bring(1, 3);
  bring(3, 4);
  EXPECT_EQ(inbox.size(), 1u) << "they wait until they are alone";
  settle(0);
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->shard, 1u);
  settle(0);
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->shard, 2u);
  bring(1, 5);
  EXPECT_EQ(inbox.size(), 1u);
  settle(0);
  EXPECT_EQ(inbox.size(), 2u) << "from then on all run together";
}

TEST_F(Dispatcher, ASuspectWhoseExecutorDiesStaysAlone) {
  start(2, 4, {1});
  bring(1, 1);
  bring(0, 2);
  ASSERT_EQ(inbox.size(), 1u);
  inbox.clear();
  self->send_exit(made_executors[1].rule, caf::exit_reason::kill);
  self->send_exit(made_executors[0].rule, caf::exit_reason::kill);
  run();
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->shard, 1u);
  settle(0);
  ASSERT_EQ(inbox.size(), 1u);
  EXPECT_EQ(inbox[0]->shard, 0u);
}

TEST_F(Dispatcher, AnswersADrainWhenNothingIsLeft) {
  start(2);
  bring(0, 1);
  bring(1, 2);
  bool drained = false;
  auto pending = self->request(actor, caf::infinite, drain_atom_v);
  run();
  settle(0);
  EXPECT_TRUE(self->mailbox().empty());
  settle(0);
  ASSERT_FALSE(self->mailbox().empty());
  pending.receive([&](bool answer) { drained = answer; }, [](const caf::error&) {});
  EXPECT_TRUE(drained);
}

TEST_F(Dispatcher, AnAnnouncementWithoutWorkOccupiesNothing) {
  start(1);
  tell(actor, ready_atom_v, shard_id{3});
  EXPECT_EQ(status().busy, 0u);
  bring(0, 1);
  EXPECT_EQ(inbox.size(), 1u);
}

/// Whatever dies: what was brought is finished or set aside in the end, and no shard runs twice at once. The
/// seed in the failure text replays the run.
class DispatcherUnderFaults : public Dispatcher, public ::testing::WithParamInterface<unsigned> {};

TEST_P(DispatcherUnderFaults, LosesNoBatch) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random{GetParam()};
  start(3);
  std::uint64_t brought = 0;
  for (int step = 0; step < 200; ++step) {
    switch (random() % 4) {
    case 0:
    case 1:
      bring(static_cast<shard_id>(random() % 4), ++brought);
      break;
    case 2:
      if (!inbox.empty()) settle(random() % inbox.size());
      break;
    default: {
      auto victim = made_executors[made_executors.size() - 1 - random() % 3];
      // Its inbox dies with it.
      self->send_exit(victim.decoder, caf::exit_reason::kill);
      run();
      break;
    }
    }
    ASSERT_LE(status().busy, 3u) << "step " << step;
  }
  for (int rounds = 0; rounds < 10'000 && !inbox.empty(); ++rounds)
    settle(0);
  EXPECT_EQ(source->finished.size(), brought);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DispatcherUnderFaults, ::testing::Range(1u, 9u));

} // namespace
} // namespace picket
