#include "actors/examiner/examiner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/registry/decide_batch.hpp"
#include "actors/testing/deterministic.hpp"
#include "actors/testing/recorded_notices.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket {
namespace {

using namespace protocol::examination;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

struct recorded_returns final : record_return {
  bool take_again(agent_id agent, record_kind kind, std::string_view bytes) override {
    if (full) return false;
    taken.push_back(to_text(agent) + " " + (kind == record_kind::again ? "again " : "sealed ")
                    + std::string{bytes});
    return true;
  }
  std::vector<std::string> taken;
  bool full = false;
};

class Examiner : public testing::deterministic_actors {
protected:
  void SetUp() override {
    tables = store::registry_tables::open(dir.path() / "state").value();
    add_agent("web-01");
    open_letters(10);
    setup.tables = tables;
    setup.statuses = std::make_shared<agent_status_table>();
    setup.notices = notices;
    setup.counts = counts;
    setup.log = log;
    setup.common.node_name = "n1";
    setup.examine = [this](request what) {
      asked = std::move(what);
      return findings;
    };
  }

  void TearDown() override {
    actor = nullptr;
    deterministic_actors::TearDown();
  }

  void open_letters(std::size_t limit) {
    letters = store::deadletter_store::open(dir.path() / "letters", limit).value();
    setup.letters = std::make_shared<letter_office>(letters, returns, counts, log);
  }

  void add_agent(const std::string& name) {
    protocol::command command;
    command.request = {1, 1, 1};
    protocol::agent_add add;
    add.name = name;
    add.key = "the-key";
    add.address = "any";
    command.arguments = add;
    registry::decided_batch decided;
    {
      auto view = tables->read().value();
      decided = registry::decide_batch(view, {&command}, {}, 1'700'000'000'000);
    }
    ASSERT_TRUE(tables->commit(decided.batch));
  }

  /// Three lines of agent 1, a control message, an event of the node about agent 1.
  static examination_order_ptr order() {
    auto made = std::make_shared<examination_order>();
    made->batch = {9, 2, 77};
    made->reason = "it failed three times";
    for (auto bytes : {"sealed 0", "sealed 1", "sealed 2", "sealed control"})
      made->records.push_back({1, 1'700'000'000'000, record_kind::sealed, bytes});
    made->records.push_back({1, 1'700'000'000'000, record_kind::plain, "1:picket:a notice"});
    made->records.push_back({1, 1'700'000'000'000, record_kind::left_out, "sealed before"});
    return made;
  }

  static examination_findings three_lines() {
    examination_findings found;
    found.messages = {{0, "1:/var/log/x:good"},
                      {1, "1:/var/log/x:POISON"},
                      {2, "1:C|:\\x:good, too"},
                      {4, "1:picket:a notice"}};
    found.complete = true;
    return found;
  }

  template <class Atom>
  std::vector<std::uint32_t> ask_for(Atom what, bool settled = true) {
    if (!actor) actor = spawn(examiner, setup);
    auto answer = ask<examined>(actor, what, order());
    EXPECT_TRUE(answer);
    EXPECT_EQ(answer && answer->settled, settled);
    return answer ? answer->left_out : std::vector<std::uint32_t>{};
  }

  testing::scratch_directory dir;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<store::deadletter_store> letters;
  std::shared_ptr<testing::recorded_notices> notices = std::make_shared<testing::recorded_notices>();
  std::shared_ptr<recorded_returns> returns = std::make_shared<recorded_returns>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  examiner_setup setup;
  examination_findings findings;
  request asked;
  examiner_actor actor;
};

TEST_F(Examiner, GivesTheChildWhatOpeningNeeds) {
  findings = three_lines();
  ask_for(examine_atom_v);
  ASSERT_EQ(asked.agents.size(), 1u);
  EXPECT_EQ(asked.agents[0].name, "web-01");
  EXPECT_EQ(asked.agents[0].key, "the-key");
  ASSERT_EQ(asked.records.size(), 6u);
  EXPECT_EQ(asked.records[1].form, record_form::sealed);
  EXPECT_EQ(asked.records[4].form, record_form::message);
  EXPECT_EQ(asked.records[5].form, record_form::none);
  EXPECT_EQ(asked.batch, (batch_id{9, 2, 77}));
  EXPECT_TRUE(asked.evaluate);
}

TEST_F(Examiner, SetsAsideTheLineThatIsFatalAndSaysSo) {
  findings = three_lines();
  findings.fatal = {{1, "signal 6"}};
  EXPECT_THAT(ask_for(examine_atom_v), ElementsAre(1));
  EXPECT_THAT(letters->ids(), ElementsAre("2-77-1"));
  auto letter = letters->read("2-77-1").value();
  EXPECT_EQ(letter.text, "POISON");
  EXPECT_EQ(letter.location, "/var/log/x");
  EXPECT_EQ(letter.head.agent_name, "web-01");
  EXPECT_EQ(letter.head.reason, "signal 6");
  EXPECT_TRUE(letter.head.examined);
  EXPECT_TRUE(letters->seen("POISON"));
  ASSERT_EQ(notices->taken.size(), 1u);
  EXPECT_EQ(notices->taken[0],
            "001 picket picket: Dead letter 2-77-1, lines set aside: 1, the analysis died: signal 6.");
  EXPECT_THAT(notices->taken[0], Not(HasSubstr("POISON"))) << "or the analysis dies of this event, too";
  EXPECT_EQ(counts->deadletter_lines_total.value_for("kept"), 1);
  EXPECT_EQ(counts->deadletter_letters.value(), 1);
  EXPECT_EQ(counts->dispatch_examined_batches_total.value(), 1);
  EXPECT_EQ(log->count(log_event::batch_examined), 1u);
}

TEST_F(Examiner, TheSameTextIsKeptOnce) {
  findings = three_lines();
  findings.messages[2] = "1:/other:POISON";
  findings.fatal = {{1, "signal 6"}, {2, "signal 6"}};
  EXPECT_THAT(ask_for(examine_atom_v), ElementsAre(1, 2)) << "neither is analysed";
  EXPECT_THAT(letters->ids(), ElementsAre("2-77-1"));
  EXPECT_EQ(letters->find("2-77-1")->seen_again, 1u);
  EXPECT_EQ(counts->deadletter_lines_total.value_for("again"), 1);
}

TEST_F(Examiner, ARecordThatCouldNotEvenBeOpenedIsKeptSealed) {
  findings = three_lines();
  findings.messages.erase(1);
  findings.fatal = {{1, "signal 11"}};
  EXPECT_THAT(ask_for(examine_atom_v), ElementsAre(1));
  auto letter = letters->read("2-77-1").value();
  EXPECT_EQ(letter.form, store::letter_form::sealed);
  EXPECT_EQ(letter.bytes, "sealed 1");
}

TEST_F(Examiner, WhatWasNotReachedStaysInTheBatch) {
  findings = three_lines();
  findings.complete = false;
  findings.problem = "too many children ended";
  EXPECT_THAT(ask_for(examine_atom_v), IsEmpty());
  EXPECT_EQ(letters->size(), 0u);
}

TEST_F(Examiner, AWholeBatchIsSetAsideLineByLine) {
  findings = three_lines();
  EXPECT_THAT(ask_for(aside_atom_v), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_FALSE(asked.evaluate);
  EXPECT_THAT(letters->ids(), ElementsAre("2-77-0", "2-77-1", "2-77-2", "2-77-4")) << "no control message";
  EXPECT_EQ(letters->read("2-77-2")->location, "C:\\x");
  EXPECT_EQ(letters->read("2-77-0")->head.reason, "it failed three times");
  EXPECT_FALSE(letters->seen("good")) << "nothing is known against the single line";
  ASSERT_EQ(notices->taken.size(), 1u) << "one for each agent";
  EXPECT_THAT(notices->taken[0], HasSubstr("lines set aside: 4,"));
  EXPECT_EQ(log->count(log_event::batch_failed), 1u);
}

TEST_F(Examiner, AWholeBatchThatNobodyCanOpenIsKeptSealed) {
  findings.problem = "no child could be started";
  EXPECT_EQ(ask_for(aside_atom_v).size(), 6u);
  EXPECT_THAT(letters->ids(), ElementsAre("2-77-0", "2-77-1", "2-77-2", "2-77-3", "2-77-4"));
  EXPECT_EQ(letters->read("2-77-0")->form, store::letter_form::sealed);
  EXPECT_EQ(letters->read("2-77-4")->text, "a notice");
}

TEST_F(Examiner, ALineForWhichThereIsNoRoomIsLostAndSaid) {
  open_letters(1);
  findings = three_lines();
  findings.fatal = {{0, "signal 6"}, {1, "signal 6"}};
  EXPECT_THAT(ask_for(examine_atom_v), ElementsAre(0, 1)) << "neither is analysed";
  EXPECT_EQ(letters->size(), 1u);
  EXPECT_EQ(counts->deadletter_lines_total.value_for("lost"), 1);
  EXPECT_EQ(log->count(log_event::deadletter_lost), 1u);
}

TEST_F(Examiner, ALetterThatTheDiskDoesNotTakeStaysWithItsBatch) {
  findings = three_lines();
  findings.fatal = {{0, "signal 6"}, {1, "signal 6"}};
  ask_for(examine_atom_v);
  ASSERT_TRUE(letters->drop("2-77-1"));
  auto other = dir.path() / "elsewhere";
  std::filesystem::rename(dir.path() / "letters", other);
  ask_for(examine_atom_v, false);
  EXPECT_EQ(counts->deadletter_lines_total.value_for("waits"), 1);
  EXPECT_EQ(counts->deadletter_lines_total.value_for("lost"), 0);
  EXPECT_EQ(log->count(log_event::deadletter_waits), 1u);
  std::filesystem::rename(other, dir.path() / "letters");
  EXPECT_THAT(ask_for(examine_atom_v), ElementsAre(0, 1));
  EXPECT_THAT(letters->ids(), ElementsAre("2-77-0", "2-77-1"));
  EXPECT_EQ(counts->deadletter_lines_total.value_for("kept"), 3) << "what was there is not kept again";
  EXPECT_EQ(counts->deadletter_lines_total.value_for("again"), 0) << "nor is it a further line";
}

TEST_F(Examiner, AnEventThatFindsNoRoomIsTriedAgain) {
  findings = three_lines();
  findings.fatal = {{1, "signal 6"}};
  notices->full = true;
  ask_for(examine_atom_v);
  EXPECT_THAT(notices->taken, IsEmpty());
  notices->full = false;
  advance(std::chrono::milliseconds{1'100});
  EXPECT_EQ(notices->taken.size(), 1u);
}

TEST_F(Examiner, ALetterIsSentOnOnceAndOnlyWhenThereIsRoom) {
  findings = three_lines();
  findings.fatal = {{1, "signal 6"}};
  ask_for(examine_atom_v);
  returns->full = true;
  auto no_room = setup.letters->retry("2-77-1");
  ASSERT_FALSE(no_room);
  EXPECT_EQ(no_room.error().code, errc::limit_reached);
  EXPECT_EQ(letters->size(), 1u) << "it is kept until the intake has it";
  returns->full = false;
  EXPECT_TRUE(setup.letters->retry("2-77-1"));
  EXPECT_THAT(returns->taken, ElementsAre("001 again 1:/var/log/x:POISON"));
  EXPECT_EQ(letters->size(), 0u);
  EXPECT_EQ(setup.letters->retry("2-77-1").error().code, errc::letter_unknown);
  EXPECT_EQ(counts->deadletter_lines_total.value_for("retried"), 1);
  EXPECT_EQ(counts->deadletter_letters.value(), 0);
}

} // namespace
} // namespace picket
