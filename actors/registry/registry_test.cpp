#include "actors/registry/registry.hpp"

#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"
#include "base/testing/scratch_directory.hpp"
#include "base/time.hpp"

namespace picket::registry {
namespace {

/// The embedded store with a switch: what the disk does.
class faulty_store final : public registry_store {
public:
  explicit faulty_store(store::registry_tables& tables)
      : inner_{tables} {}
  commit_outcome commit(const expected_head& expected, const store::registry_batch& batch,
                        std::int64_t limit_ms) override {
    ++commits;
    if (answer) return *answer;
    return inner_.commit(expected, batch, limit_ms);
  }
  head_answer head(std::int64_t limit_ms) override { return inner_.head(limit_ms); }
  load_page load(const load_position& from, std::int64_t limit_ms) override {
    return inner_.load(from, limit_ms);
  }
  std::unique_ptr<change_stream> changes(std::uint64_t from) override { return inner_.changes(from); }
  std::string_view name() const noexcept override { return "faulty"; }

  std::optional<commit_outcome> answer;
  int commits = 0;

private:
  embedded_store inner_;
};

class Registry : public picket::testing::deterministic_actors {
protected:
  void SetUp() override {
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
    store = std::make_shared<faulty_store>(*tables);
    registry_setup setup;
    setup.tables = tables;
    setup.store = store;
    setup.context.node = 1;
    setup.counts = counts;
    setup.log = log;
    actor = spawn(registry, setup);
  }

  proposal_ptr group(const std::string& name, std::int64_t limit_ms = 10'000) {
    auto made = std::make_shared<proposal>();
    made->command.request = {1, 1, ++counter};
    made->command.arguments = protocol::group_put{name};
    made->deadline_ms = steady_clock_ms() + limit_ms;
    return made;
  }

  propose_answer propose(const proposal_ptr& what) {
    auto answer = ask<propose_answer>(actor, propose_atom_v, what);
    EXPECT_TRUE(answer) << "no answer";
    return answer ? *answer : propose_answer{};
  }

  picket::testing::scratch_directory scratch;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<faulty_store> store;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  registry_actor actor;
  std::uint64_t counter = 0;
};

TEST_F(Registry, AnswersWhenItIsCommittedAndVisible) {
  auto answer = propose(group("web"));
  EXPECT_EQ(answer.how, proposed::ok);
  EXPECT_TRUE(tables->read()->group("web"));
  EXPECT_EQ(tables->read()->head().sequence, answer.revision);
}

TEST_F(Registry, ARefusalHasItsReason) {
  EXPECT_EQ(propose(group("web")).how, proposed::ok);
  auto again = propose(group("web"));
  EXPECT_EQ(again.how, proposed::refused);
  EXPECT_EQ(again.result.code, static_cast<std::uint16_t>(errc::already_exists));
}

TEST_F(Registry, ARepeatGetsTheFirstAnswer) {
  auto request = group("web");
  EXPECT_EQ(propose(request).how, proposed::ok);
  EXPECT_EQ(propose(request).how, proposed::ok) << "the same request id: not a second group";
  auto outcome = ask<propose_answer>(actor, outcome_atom_v, request->command.request);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->how, proposed::ok);
  outcome = ask<propose_answer>(actor, outcome_atom_v, protocol::request_id{9, 9, 9});
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->how, proposed::unavailable);
}

TEST_F(Registry, WhatComesTogetherIsCommittedTogether) {
  std::vector<propose_answer> answers;
  for (int i = 0; i < 50; ++i)
    self->send(actor, propose_atom_v, group("g" + std::to_string(i)));
  run();
  EXPECT_EQ(store->commits, 1);
  EXPECT_EQ(tables->read()->group_count(), 51u) << "and `default`";
}

TEST_F(Registry, ADiskThatRefusesIsSaidAndNothingIsDone) {
  store->answer = commit_outcome{commit_status::no_space, 0, error{errc::disk_full, "full", {}, {}}};
  EXPECT_EQ(propose(group("web")).how, proposed::unavailable);
  EXPECT_EQ(log->count(log_event::registry_failed), 1u);
  store->answer.reset();
  EXPECT_FALSE(tables->read()->group("web"));
  EXPECT_EQ(propose(group("web")).how, proposed::ok) << "and it goes on when there is room";
}

TEST_F(Registry, AnUnknownOutcomeIsNotGivenAsADoneOne) {
  store->answer = commit_outcome{commit_status::unknown, 0, error{errc::timeout, "no answer", {}, {}}};
  EXPECT_EQ(propose(group("web")).how, proposed::unknown);
}

TEST_F(Registry, AProposalThatIsTooLateIsNotTried) {
  EXPECT_EQ(propose(group("web", -1)).how, proposed::too_late);
  EXPECT_EQ(store->commits, 0);
}

TEST_F(Registry, RefusesMoreThanItsQueueHolds) {
  for (std::size_t i = 0; i < queue_limit_commands; ++i)
    self->send(actor, propose_atom_v, group("g"));
  auto pending = self->request(actor, caf::infinite, propose_atom_v, group("one-too-many"));
  run();
  bool busy = false;
  bool seen = false;
  while (!self->mailbox().empty() && !seen) {
    pending.receive(
        [&](const propose_answer& answer) {
          busy = answer.how == proposed::busy;
          seen = true;
        },
        [&](const caf::error&) { seen = true; });
  }
  EXPECT_TRUE(busy);
}

struct listening_state {
  std::vector<changes_ptr> seen;
};

registry_subscriber_actor::behavior_type
listening(registry_subscriber_actor::stateful_pointer<listening_state> self, std::vector<changes_ptr>* into) {
  return {[self, into](changed_atom, const changes_ptr& changes) { into->push_back(changes); }};
}

TEST_F(Registry, TellsSubscribersWhatChangedAndForgetsDeadOnes) {
  std::vector<changes_ptr> seen;
  auto subscriber = spawn(listening, &seen);
  tell(actor, subscribe_atom_v, subscriber);
  propose(group("web"));
  ASSERT_EQ(seen.size(), 1u);
  ASSERT_EQ(seen[0]->rows.size(), 1u);
  EXPECT_EQ(seen[0]->rows[0].key, "web");
  self->send_exit(subscriber, caf::exit_reason::kill);
  run();
  EXPECT_EQ(propose(group("db")).how, proposed::ok);
  EXPECT_EQ(seen.size(), 1u);
}

} // namespace
} // namespace picket::registry
