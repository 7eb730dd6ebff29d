#include "actors/health/monitor.hpp"

#include "actors/watch/thread_name.hpp"

#include <chrono>
#include <cstdlib>

#include <caf/send.hpp>

namespace picket {

void monitor_state::tick() {
  auto now_ms = setup.steady_ms();
  watch_clock(now_ms);
  ask_dispatcher(now_ms);
  setup.counts->refresh();
  sample_rates(now_ms);
  judge(now_ms);
  setup.log->tick();
}

void monitor_state::watch_clock(std::int64_t now_ms) {
  auto apart_ms = setup.wall_ms() - now_ms;
  auto jump_ms = apart_ms - clocks_apart_ms;
  if (clocks_known && std::abs(jump_ms) >= clock_jump_ms)
    setup.log->write(log_event::clock_jumped, {{"seconds", jump_ms / 1000}});
  clocks_apart_ms = apart_ms;
  clocks_known = true;
}

void monitor_state::ask_dispatcher(std::int64_t now_ms) {
  if (!setup.dispatcher || asked) return;
  asked = true;
  if (unanswered_ms < 0) unanswered_ms = now_ms;
  self->request(setup.dispatcher, std::chrono::milliseconds{dispatcher_limit_ms}, status_atom_v)
      .then(
          [this](const dispatch_status&) {
            asked = false;
            unanswered_ms = -1;
          },
          [this](const caf::error&) { asked = false; });
}

void monitor_state::sample_rates(std::int64_t now_ms) {
  if (!series) series = std::make_shared<const std::vector<std::string>>(setup.counts->counter_series());
  rates.sample(now_ms, setup.counts->counter_values());
}

void monitor_state::judge(std::int64_t now_ms) {
  auto facts = setup.look();
  // A disk may have been waited for: the time of the findings is that of their end.
  auto judged_ms = setup.steady_ms();
  if (unanswered_ms >= 0) facts.dispatcher_silent_ms = now_ms - unanswered_ms;
  health_board::view found;
  found.findings = health.judge(facts, judged_ms);
  found.disks = facts.disks;
  found.judged_ms = judged_ms;
  found.minute_ms = rates.covered_ms();
  found.series = series;
  for (std::size_t i = 0; i < series->size(); ++i)
    found.growth.push_back(rates.growth(i));
  auto why = why_no_ingest(found.findings);
  setup.counts->ingest_ready.set(why.empty() ? 1 : 0);
  setup.board->publish(std::move(found));
  if (why.empty() == ready) return;
  ready = why.empty();
  if (ready)
    setup.log->write(log_event::ready);
  else
    setup.log->write(log_event::not_ready, {{"reason", why}});
}

monitor_actor::behavior_type monitor(monitor_actor::stateful_pointer<monitor_state> self,
                                     monitor_setup setup) {
  name_thread("monitor");
  self->state.self = self;
  self->state.health = readiness{setup.limits};
  self->state.setup = std::move(setup);
  self->state.tick();
  self->delayed_send(self, std::chrono::milliseconds{monitor_tick_ms}, tick_atom_v);
  return {
      [](status_atom) { return true; },
      [self](tick_atom) {
        self->state.tick();
        self->delayed_send(self, std::chrono::milliseconds{monitor_tick_ms}, tick_atom_v);
      },
  };
}

} // namespace picket
