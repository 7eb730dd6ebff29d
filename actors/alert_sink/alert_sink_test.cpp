#include "actors/alert_sink/alert_sink.hpp"

#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;

struct recorded_journal final : alert_journal {
  result<void> append(const journal_texts& texts, std::int64_t) override {
    if (broken) return fail(errc::disk_full, "no room", "/journal");
    written += texts.alerts_json;
    return {};
  }
  result<void> tick(std::int64_t) override {
    ++ticks;
    return {};
  }
  result<void> sync() override {
    if (unsynced) return fail(errc::io, "no sync", "/journal");
    ++syncs;
    return {};
  }

  std::string written;
  int ticks = 0;
  int syncs = 0;
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

  recorded_journal* journal = nullptr;
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
  advance(10s, 1s);
  EXPECT_TRUE(done.empty()) << "not done: the pool keeps what was read";
  EXPECT_GE(log->count(log_event::journal_failed), 9u);
  journal->broken = false;
  advance(2s, 1s);
  EXPECT_EQ(journal->written, "a\nb\n") << "each once, in order";
  EXPECT_EQ(done, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(AlertSink, StrictSharesOneSyncAndIsDoneOnlyBehindIt) {
  start(true);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence)
    self->send(actor, append_atom_v, make(sequence, "x\n"));
  run();
  EXPECT_EQ(journal->syncs, 1);
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
