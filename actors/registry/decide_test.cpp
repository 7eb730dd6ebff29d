#include "actors/registry/decide.hpp"

#include <map>
#include <random>

#include <gtest/gtest.h>

#include "actors/registry/decide_batch.hpp"
#include "base/error.hpp"
#include "base/testing/scratch_directory.hpp"
#include "protocol/enrollment/keys.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::registry {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;
const std::string key_a(64, 'a');

/// The registry's tables with commands decided and committed one at a time, on a clock of the test.
class Decide : public ::testing::Test {
protected:
  void SetUp() override {
    auto opened = store::registry_tables::open(scratch.path() / "state");
    ASSERT_TRUE(opened) << to_string(opened.error());
    tables = std::move(*opened);
  }

  protocol::command_result run(protocol::command_arguments arguments) {
    protocol::command command;
    command.request = {1, 1, ++counter};
    command.arguments = std::move(arguments);
    return run_all({command}).front().result;
  }

  std::vector<batched_command> run_all(const std::vector<protocol::command>& commands) {
    std::vector<const protocol::command*> pointers;
    for (const auto& one : commands)
      pointers.push_back(&one);
    decided_batch decided;
    {
      auto view = tables->read();
      decided = decide_batch(*view, pointers, context, now_ms);
    }
    if (decided.changes_anything) {
      auto done = tables->commit(decided.batch);
      EXPECT_TRUE(done) << to_string(done.error());
    }
    EXPECT_EQ(tables->check_consistency(), "");
    return decided.commands;
  }

  protocol::agent_add add(const std::string& name, const std::string& address = "any") {
    protocol::agent_add request;
    request.name = name;
    request.key = key_a;
    request.address = address;
    request.source = "192.0.2.1";
    request.state = protocol::confirmation::confirmed;
    return request;
  }

  protocol::agent_evidence seen(agent_id id, protocol::agent_state state, std::int64_t since_ms = 0) {
    auto row = tables->read()->agent(id);
    return {id, row ? row->registration : 0, state, since_ms};
  }

  static errc code(const protocol::command_result& result) { return static_cast<errc>(result.code); }

  testing::scratch_directory scratch;
  std::unique_ptr<store::registry_tables> tables;
  decide_context context{1, 0, {"node-1"}, 1'000'000, {}};
  std::int64_t now_ms = 1'700'000'000'000;
  std::uint64_t counter = 0;
};

TEST_F(Decide, GivesIdsThatOnlyGrow) {
  EXPECT_EQ(run(add("web-01")).agent, 1u);
  EXPECT_EQ(run(add("web-02")).agent, 2u);
  EXPECT_TRUE(run(protocol::agent_remove{{2}, "test"}).done());
  EXPECT_EQ(run(add("web-03")).agent, 3u) << "the highest id was removed and does not come back";
  EXPECT_TRUE(tables->read()->removed(2));
}

TEST_F(Decide, RefusesAWrongOrOwnName) {
  EXPECT_EQ(run(add("x")).text, "Invalid agent name: x");
  EXPECT_EQ(code(run(add("node-1"))), errc::agent_name_invalid);
}

TEST_F(Decide, RefusesANameThatIsTakenWithinTheFirstHour) {
  ASSERT_TRUE(run(add("web-01")).done());
  auto again = add("web-01");
  again.evidence = {seen(1, protocol::agent_state::never_connected)};
  auto refused = run(again);
  EXPECT_EQ(code(refused), errc::agent_name_taken);
  EXPECT_EQ(refused.text, "Duplicate agent name: web-01");
}

TEST_F(Decide, Case14_ReplacesAnAgentThatWasNeverConnectedAfterAnHour) {
  ASSERT_TRUE(run(add("web-01")).done());
  now_ms += hour_ms + 1;
  auto again = add("web-01");
  again.evidence = {seen(1, protocol::agent_state::never_connected)};
  auto done = run(again);
  ASSERT_TRUE(done.done()) << done.text;
  EXPECT_EQ(done.agent, 2u) << "a new id, never the old one";
  EXPECT_EQ(done.replaced, std::vector<agent_id>{1});
  EXPECT_EQ(tables->read()->removed(1)->name, "web-01");
}

TEST_F(Decide, DoesNotReplaceAnAgentThatIsThereOrLeftLately) {
  ASSERT_TRUE(run(add("web-01")).done());
  now_ms += 2 * hour_ms;
  auto again = add("web-01");
  again.evidence = {seen(1, protocol::agent_state::active)};
  EXPECT_EQ(code(run(again)), errc::agent_name_taken);
  again.evidence = {seen(1, protocol::agent_state::disconnected, now_ms - hour_ms / 2)};
  EXPECT_EQ(code(run(again)), errc::agent_name_taken);
  again.evidence = {seen(1, protocol::agent_state::disconnected, now_ms - hour_ms - 1)};
  EXPECT_TRUE(run(again).done());
}

TEST_F(Decide, DoesNotReplaceWhereTheAgentHoldsTheKey) {
  ASSERT_TRUE(run(add("web-01")).done());
  now_ms += 2 * hour_ms;
  auto again = add("web-01");
  again.evidence = {seen(1, protocol::agent_state::never_connected)};
  again.key_hash = protocol::agent_key_hash("001", "web-01", key_a);
  EXPECT_EQ(code(run(again)), errc::agent_name_taken);
  again.key_hash = std::string(40, '0');
  EXPECT_TRUE(run(again).done());
}

TEST_F(Decide, AsksForFactsThatItDoesNotHave) {
  ASSERT_TRUE(run(add("web-01")).done());
  now_ms += 2 * hour_ms;
  EXPECT_EQ(code(run(add("web-01"))), errc::stale_evidence);
  auto again = add("web-01");
  again.evidence = {{1, 99, protocol::agent_state::never_connected, 0}};
  EXPECT_EQ(code(run(again)), errc::stale_evidence) << "facts about an older registration";
}

TEST_F(Decide, ARepeatOfAnUnconfirmedRequestGetsTheSameAgent) {
  auto first = add("web-01");
  first.state = protocol::confirmation::unconfirmed;
  ASSERT_EQ(run(first).agent, 1u);
  auto repeat = first;
  repeat.key = std::string(64, 'b');
  EXPECT_EQ(run(repeat).agent, 1u);
  EXPECT_EQ(tables->read()->agent(1)->key, key_a) << "the key that may be on its way stays";
  repeat.source = "192.0.2.2";
  EXPECT_EQ(code(run(repeat)), errc::stale_evidence) << "another host gets the ordinary rules";
  now_ms += 600'001;
  repeat.source = "192.0.2.1";
  EXPECT_FALSE(run(repeat).done()) << "too late";
}

TEST_F(Decide, AConfirmedAgentIsNotRepeated) {
  auto first = add("web-01");
  first.state = protocol::confirmation::unconfirmed;
  ASSERT_TRUE(run(first).done());
  ASSERT_TRUE(run(protocol::agent_confirm{{1, 77}}).done()) << "ids that are gone are passed over";
  EXPECT_FALSE(run(first).done());
}

TEST_F(Decide, OneAddressBelongsToOneAgent) {
  ASSERT_TRUE(run(add("web-01", "10.1.2.3")).done());
  auto other = add("web-02", "10.1.2.3/32");
  other.evidence = {seen(1, protocol::agent_state::active)};
  auto refused = run(other);
  EXPECT_EQ(code(refused), errc::agent_address_taken);
  EXPECT_EQ(refused.text, "Duplicate IP: 10.1.2.3/32");
  EXPECT_TRUE(run(add("web-03", "10.1.2.0/24")).done());
}

TEST_F(Decide, OneRequestMayReplaceTwoAgents) {
  ASSERT_TRUE(run(add("web-01", "10.1.2.3")).done());
  ASSERT_TRUE(run(add("web-02", "10.1.2.4")).done());
  now_ms += 2 * hour_ms;
  auto both = add("web-02", "10.1.2.3");
  both.evidence = {seen(1, protocol::agent_state::never_connected),
                   seen(2, protocol::agent_state::never_connected)};
  auto done = run(both);
  ASSERT_TRUE(done.done()) << done.text;
  EXPECT_EQ(done.replaced.size(), 2u);
  EXPECT_EQ(tables->read()->agent_count(), 1u);
}

TEST_F(Decide, GroupsMustExist) {
  auto request = add("web-01");
  request.groups = {"nope"};
  EXPECT_EQ(run(request).text, "Invalid group: nope");
  ASSERT_TRUE(run(protocol::group_put{"web"}).done());
  request.groups = {"web", "default"};
  ASSERT_TRUE(run(request).done());
  EXPECT_EQ(tables->read()->members("web", 10), std::vector<agent_id>{1});
}

TEST_F(Decide, AGroupGoesFromItsAgents) {
  ASSERT_TRUE(run(protocol::group_put{"web"}).done());
  ASSERT_TRUE(run(add("web-01")).done());
  ASSERT_TRUE(run(protocol::agent_groups{1, protocol::groups_change::set, {"default", "web"}}).done());
  ASSERT_TRUE(run(protocol::group_remove{"web"}).done());
  EXPECT_EQ(tables->read()->agent(1)->groups, std::vector<std::string>{"default"});
  EXPECT_EQ(code(run(protocol::group_remove{"default"})), errc::group_protected);
  EXPECT_EQ(code(run(protocol::group_put{"a/b"})), errc::group_name_invalid);
}

TEST_F(Decide, AnImportKeepsTheIdAndLaterOnesGoOnBehindIt) {
  auto import = add("old-07");
  import.id = 7;
  ASSERT_EQ(run(import).agent, 7u);
  EXPECT_EQ(run(add("new-08")).agent, 8u);
  auto lower = add("old-03");
  lower.id = 3;
  EXPECT_EQ(run(lower).agent, 3u) << "files are in no order";
  auto taken = add("other");
  taken.id = 7;
  EXPECT_EQ(code(run(taken)), errc::agent_id_taken);
}

TEST_F(Decide, ARequestIdIsDecidedOnceAlsoWithinOneBatch) {
  protocol::command command;
  command.request = {1, 1, 1'000};
  command.arguments = add("web-01");
  auto both = run_all({command, command});
  EXPECT_EQ(both[0].result.agent, 1u);
  EXPECT_FALSE(both[0].repeated);
  EXPECT_EQ(both[1].result.agent, 1u);
  EXPECT_TRUE(both[1].repeated);
  auto later = run_all({command});
  EXPECT_EQ(later[0].result.agent, 1u) << "and after the commit, from the tables";
  EXPECT_EQ(tables->read()->agent_count(), 1u);
}

TEST_F(Decide, AFenceChangesNothingAndIsRemembered) {
  auto before = tables->read()->head();
  EXPECT_TRUE(run(protocol::fence{}).done());
  auto after = tables->read()->head();
  EXPECT_EQ(after.sequence, before.sequence + 1) << "it is a batch, so that older transactions fail on it";
  EXPECT_EQ(after.next_agent_id, before.next_agent_id);
  EXPECT_TRUE(tables->read()->outcome({1, 1, counter}));
}

TEST_F(Decide, AsManyAgentsAtATimeAsABatchHasRoomFor) {
  std::vector<agent_id> ids;
  for (std::size_t i = 0; i < max_ids_per_command + 1; ++i)
    ids.push_back(run(add("agent-" + std::to_string(i))).agent);
  EXPECT_EQ(code(run(protocol::agent_remove{ids, "too many"})), errc::invalid_argument);
  ids.pop_back();
  EXPECT_TRUE(run(protocol::agent_remove{ids, "just right"}).done());
  EXPECT_EQ(tables->read()->agent_count(), 1u);
}

TEST_F(Decide, TimeInTheTablesNeverRunsBackwards) {
  ASSERT_TRUE(run(add("web-01")).done());
  auto before = tables->read()->head().time_ms;
  now_ms -= hour_ms;
  ASSERT_TRUE(run(add("web-02")).done());
  EXPECT_GT(tables->read()->head().time_ms, before);
}

TEST_F(Decide, RefusesANewerSchema) {
  store::registry_batch batch;
  batch.head = tables->read()->head();
  batch.head.schema = known_schema + 1;
  batch.head.sequence += 1;
  ASSERT_TRUE(tables->commit(batch));
  EXPECT_EQ(code(run(add("web-01"))), errc::needs_upgrade);
}

/// Random commands against a naive model. The seed in the failure text replays the run.
class DecideAgainstModel : public Decide, public ::testing::WithParamInterface<unsigned> {};

TEST_P(DecideAgainstModel, AgreesOnWhoIsThere) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  std::mt19937 random{GetParam()};
  std::map<agent_id, std::string> model;
  agent_id highest = 0;
  for (int step = 0; step < 120; ++step) {
    auto name = "agent-" + std::to_string(random() % 12);
    if (random() % 3 != 0) {
      auto request = add(name);
      request.force.enabled = false;
      bool taken = false;
      for (const auto& [id, known] : model)
        taken = taken || known == name;
      auto got = run(request);
      ASSERT_EQ(got.done(), !taken) << got.text;
      if (!got.done()) continue;
      ASSERT_GT(got.agent, highest);
      highest = got.agent;
      model[got.agent] = name;
    } else {
      agent_id id = highest == 0 ? 1 : 1 + random() % highest;
      auto got = run(protocol::agent_remove{{id}, "model"});
      ASSERT_EQ(got.done(), model.erase(id) == 1) << id;
    }
    auto view = tables->read();
    ASSERT_EQ(view->agent_count(), model.size());
    for (const auto& [id, known] : model)
      ASSERT_EQ(view->agent_by_name(known), id);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DecideAgainstModel, ::testing::Range(1u, 9u));

} // namespace
} // namespace picket::registry
