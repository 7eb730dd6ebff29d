#include "actors/health/monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/testing/deterministic.hpp"

namespace picket {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class Monitor : public testing::deterministic_actors {
protected:
  void start(dispatcher_actor dispatcher = {}) {
    monitor_setup setup;
    setup.look = [this] {
      ++looks;
      return facts;
    };
    setup.board = board;
    setup.dispatcher = std::move(dispatcher);
    setup.steady_ms = [this] { return steady_ms; };
    setup.wall_ms = [this] { return steady_ms + apart_ms; };
    setup.counts = counts;
    setup.log = log;
    actor = spawn(monitor, setup);
  }
  void seconds(int count) {
    for (int i = 0; i < count; ++i) {
      steady_ms += 1'000;
      advance(1s, 1s);
    }
  }
  std::string why() const { return why_no_ingest(board->look(steady_ms).findings); }

  std::int64_t steady_ms = 1'000'000;
  std::int64_t apart_ms = 1'700'000'000'000;
  health_facts facts;
  int looks = 0;
  std::shared_ptr<health_board> board = std::make_shared<health_board>();
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  monitor_actor actor;
};

TEST_F(Monitor, LooksAtOnceAndEverySecond) {
  EXPECT_NE(why(), "") << "before the first look nothing is known";
  start();
  EXPECT_EQ(looks, 1);
  EXPECT_EQ(why(), "");
  EXPECT_TRUE(*ask<bool>(actor, status_atom_v));
  EXPECT_EQ(counts->ingest_ready.value(), 1);
  seconds(5);
  EXPECT_EQ(looks, 6);
}

TEST_F(Monitor, SaysOnceThatTheNodeIsNotReadyAndOnceThatItIsAgain) {
  start();
  facts.oldest_age_ms = 120'000;
  seconds(10);
  EXPECT_THAT(why(), HasSubstr("120 s ago"));
  EXPECT_EQ(counts->ingest_ready.value(), 0);
  EXPECT_EQ(log->count(log_event::not_ready), 1u);
  facts.oldest_age_ms.reset();
  seconds(10);
  EXPECT_EQ(why(), "");
  EXPECT_EQ(counts->ingest_ready.value(), 1);
  EXPECT_EQ(log->count(log_event::not_ready), 1u);
  EXPECT_EQ(log->count(log_event::ready), 1u);
}

TEST_F(Monitor, ThatHasStoppedLookingIsAReasonItself) {
  start();
  steady_ms += health_board::stale_ms;
  EXPECT_THAT(why(), HasSubstr("has not been able to look at itself for 15 s"));
}

TEST_F(Monitor, NoticesADispatcherThatDoesNotAnswer) {
  auto silent = sys.spawn([](dispatcher_actor::pointer actor_self) -> dispatcher_actor::behavior_type {
    return {[](ready_atom, std::uint16_t) {}, [](done_atom, const work_ptr&) {},
            [](again_atom, std::uint16_t) {}, [](drain_atom) { return true; },
            [actor_self](status_atom) {
              auto promise = actor_self->make_response_promise<dispatch_status>();
              return promise; // and it is never kept
            }};
  });
  start(silent);
  seconds(14);
  EXPECT_EQ(why(), "");
  seconds(2);
  EXPECT_THAT(why(), HasSubstr("dispatcher has not answered for 16 s"));
  seconds(60);
  EXPECT_THAT(why(), HasSubstr("dispatcher has not answered")) << "also behind the limit of its request";
  self->send_exit(silent, caf::exit_reason::kill);
  silent = nullptr;
}

TEST_F(Monitor, ADispatcherThatAnswersIsFine) {
  auto quick = sys.spawn([]() -> dispatcher_actor::behavior_type {
    return {[](ready_atom, std::uint16_t) {}, [](done_atom, const work_ptr&) {},
            [](again_atom, std::uint16_t) {}, [](drain_atom) { return true; },
            [](status_atom) { return dispatch_status{}; }};
  });
  start(quick);
  seconds(100);
  EXPECT_EQ(why(), "");
  self->send_exit(quick, caf::exit_reason::kill);
}

TEST_F(Monitor, TellsOfAClockThatJumpedAndNotOfOneThatIsTuned) {
  start();
  for (int i = 0; i < 10; ++i) {
    apart_ms += 400;
    seconds(1);
  }
  EXPECT_EQ(log->count(log_event::clock_jumped), 0u);
  apart_ms -= 3'600'000;
  seconds(10);
  EXPECT_EQ(log->count(log_event::clock_jumped), 1u);
  apart_ms += 86'400'000;
  seconds(10);
  EXPECT_EQ(log->count(log_event::clock_jumped), 2u);
}

TEST_F(Monitor, KeepsTheRatesOfTheLastMinute) {
  start();
  for (int i = 0; i < 100; ++i) {
    counts->engine_events_total.add(i < 50 ? 10 : 2);
    counts->ingest_bad_records_total.add_for("wrong_key");
    seconds(1);
  }
  auto seen = board->look(steady_ms);
  EXPECT_EQ(seen.minute_ms, 60'000);
  EXPECT_EQ(seen.grown("picket_engine_events_total"), 10 * 10 + 50 * 2);
  EXPECT_EQ(seen.grown("picket_ingest_bad_records_total{reason=\"wrong_key\"}"), 60);
  EXPECT_EQ(seen.grown("picket_ingest_bad_records_total{reason=\"bad_tag\"}"), 0);
}

TEST_F(Monitor, GaugesAreAsTheyAreWhenTheyAreRead) {
  double depth = 1;
  counts->add_collector([&](const metrics& all) { all.journal_waiting_batches.set(depth); });
  EXPECT_THAT(counts->render(), HasSubstr("\npicket_journal_waiting_batches 1\n"));
  depth = 5;
  EXPECT_THAT(counts->render(), HasSubstr("\npicket_journal_waiting_batches 5\n"));
}

TEST_F(Monitor, CountersThatOthersCountOnlyGrow) {
  counts->log_suppressed_total.raise_to(5);
  counts->log_suppressed_total.raise_to(3);
  EXPECT_EQ(counts->log_suppressed_total.value(), 5);
  counts->process_cpu_seconds_total.raise_to_for("system", 1.5);
  EXPECT_EQ(counts->process_cpu_seconds_total.value_for("system"), 1.5);
  EXPECT_EQ(counts->process_cpu_seconds_total.value_for("user"), 0);
}

} // namespace
} // namespace picket
