#include "actors/alert_sink/alert_sink.hpp"

#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;

struct recorded_journal final : alert_journal {
  result<void> append(const journal_texts& texts, std::int64_t) override {
    if (broken) return fail(code, "no room", "/journal");
    written += texts.alerts_json;
    return {};
  }
  result<void> tick(std::int64_t) override {
    ++ticks;
    return {};
  }
  result<void> sync() override {
    if (unsynced) return fail(errc::io, "no sync", "/journal");
    ++synced;
    return {};
  }

  std::string written;
  std::vector<store::journal_notice> take_notices() override { return std::exchange(notices, {}); }
  std::uint64_t syncs() const override { return synced; }

  std::vector<store::journal_notice> notices;
  errc code = errc::disk_full;
  int ticks = 0;
  std::uint64_t synced = 0;
  bool broken = false;
  bool unsynced = false;
};

class AlertSink : public testing::deterministic_actors {
protected:
  void start(bool strict = false) {
    auto made = std::make_unique<recorded_journal>();
    journal = made.get();
    sink_setup setup;
    setup.journal = std::move(made);
    setup.strict = strict;
    setup.done = [this](const work_ptr& what) { done.push_back(what->id.sequence); };
    setup.wall_ms = [] { return std::int64_t{0}; };
    setup.steady_ms = [this] { return steady_ms; };
    setup.health = health;
    setup.counts = counts;
    setup.log = log;
    actor = spawn(alert_sink, setup);
  }

  work_ptr make(std::uint64_t sequence, const std::string& text) {
    auto made = std::make_shared<work>();
    made->id = {1, 1, sequence};
    made->out.json = text;
    return made;
  }

  void seconds(int count) {
    for (int i = 0; i < count; ++i) {
      steady_ms += 1'000;
      advance(1s, 1s);
    }
  }

  recorded_journal* journal = nullptr;
  std::int64_t steady_ms = 1'000'000;
  std::shared_ptr<journal_health> health = std::make_shared<journal_health>();
  std::vector<std::uint64_t> done;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  alert_sink_actor actor;
};

TEST_F(AlertSink, WritesInOrderAndHandsTheWorkBack) {
  start();
  self->send(actor, append_atom_v, make(1, "a\n"));
  self->send(actor, append_atom_v, make(2, "b\n"));
  run();
  EXPECT_EQ(journal->written, "a\nb\n");
  EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(AlertSink, AWorkWithoutAlertsGoesBackAtOnce) {
  start();
  journal->broken = true;
  tell(actor, append_atom_v, make(1, ""));
  EXPECT_EQ(done, std::vector<std::uint64_t>{1});
}

TEST_F(AlertSink, AFullDiskHoldsTheWorkAndIsTriedAgain) {
  start();
  journal->broken = true;
  tell(actor, append_atom_v, make(1, "a\n"));
  tell(actor, append_atom_v, make(2, "b\n"));
  seconds(10);
  EXPECT_TRUE(done.empty()) << "not done: the pool keeps what was read";
  EXPECT_GE(counts->journal_failures_total.value(), 9);
  EXPECT_EQ(counts->journal_waiting_batches.value(), 2);
  EXPECT_EQ(log->count(log_event::journal_failed), 1u) << "said once, not with every attempt";
  EXPECT_EQ(health->look(steady_ms).failing_ms, 10'000);
  EXPECT_NE(health->look(steady_ms).why.find("no room"), std::string::npos);
  journal->broken = false;
  seconds(2);
  EXPECT_EQ(journal->written, "a\nb\n") << "each once, in order";
  EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(log->count(log_event::journal_recovered), 1u);
  EXPECT_EQ(health->look(steady_ms).failing_ms, 0);
  EXPECT_EQ(counts->journal_waiting_batches.value(), 0);
}

TEST_F(AlertSink, SaysAgainWhatFailsEachMinuteAndWhenItFailsInAnotherWay) {
  start();
  journal->broken = true;
  tell(actor, append_atom_v, make(1, "a\n"));
  seconds(130);
  EXPECT_EQ(log->count(log_event::journal_failed), 3u);
  journal->code = errc::permission;
  seconds(5);
  EXPECT_EQ(log->count(log_event::journal_failed), 4u);
}

TEST_F(AlertSink, TellsWhatTheJournalNoticed) {
  using kind = store::journal_notice::kind;
  start();
  journal->notices = {
      {kind::repaired, "2025/Mar/x-03.json", 17, store::new_file::first, {}},
      {kind::begun, "2025/Mar/x-04.json", 0, store::new_file::day, {}},
      {kind::replaced, "2025/Mar/x-04.json", 0, store::new_file::replaced, {errc::io, "it was cut", {}, {}}},
      {kind::begun, "2025/Mar/x-04-001.json", 0, store::new_file::replaced, {}},
      {kind::not_rotated,
       "2025/Mar/x-04-001.json",
       0,
       store::new_file::size,
       {errc::permission, "no", "/logs", {}}}};
  journal->synced = 3;
  seconds(1);
  EXPECT_EQ(counts->journal_lost_bytes_total.value(), 17);
  EXPECT_EQ(counts->journal_new_files_total.value_for("day"), 1);
  EXPECT_EQ(counts->journal_new_files_total.value_for("replaced"), 1);
  EXPECT_EQ(counts->journal_syncs_total.value(), 3);
  EXPECT_EQ(log->count(log_event::journal_repaired), 1u);
  EXPECT_EQ(log->count(log_event::journal_replaced), 1u);
  EXPECT_EQ(log->count(log_event::journal_not_rotated), 1u);
  EXPECT_EQ(health->look(steady_ms).file, "2025/Mar/x-04-001.json");
}

TEST_F(AlertSink, StrictSharesOneSyncAndIsDoneOnlyBehindIt) {
  start(true);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence)
    self->send(actor, append_atom_v, make(sequence, "x\n"));
  run();
  EXPECT_EQ(journal->synced, 1u);
  EXPECT_EQ(done.size(), 5u);
  journal->unsynced = true;
  tell(actor, append_atom_v, make(6, "y\n"));
  EXPECT_EQ(done.size(), 5u);
  journal->unsynced = false;
  advance(2s, 1s);
  EXPECT_EQ(done.size(), 6u);
  EXPECT_EQ(journal->written, "x\nx\nx\nx\nx\ny\n") << "written once, although the sync failed at first";
}

TEST_F(AlertSink, AsksTheJournalEverySecondWhetherSomethingIsDue) {
  start();
  advance(5s, 500ms);
  EXPECT_EQ(journal->ticks, 5);
}

TEST_F(AlertSink, AFlushSaysWhetherTheDiskHasEverything) {
  start();
  EXPECT_TRUE(*ask<bool>(actor, flush_atom_v));
  journal->unsynced = true;
  EXPECT_FALSE(*ask<bool>(actor, flush_atom_v));
}

} // namespace
} // namespace picket
