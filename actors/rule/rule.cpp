#include "actors/rule/rule.hpp"

#include <caf/send.hpp>

#include "actors/telemetry/stage_time.hpp"
#include "base/faults/faults.hpp"

namespace picket {

namespace {

std::uint64_t evicted(const engine::shard_state& state) {
  std::uint64_t records = 0;
  for (const auto& [rule, count] : state.windows.evictions())
    records += count;
  return records;
}

} // namespace

void rule_state::evaluate(work& what) {
  faults::pause(faults::fault::executor_sleep_ms);
  for (const auto& event : what.events)
    faults::on_event(event.text);
  stage_time counted{*setup.counts, "evaluate"};
  auto evicted_before = evicted(*what.state);
  what.out.clear();
  counters = {};
  engine::context with{*what.rules,   *what.state,  *setup.node, *setup.first,
                       *setup.global, setup.limits, counters,    setup.outputs};
  auto progress = engine::evaluate(what.events, with, memory, what.out);
  // This node owns every global window, so nothing is open; with other owners their answers come in between.
  if (!progress.complete()) engine::finish(std::move(progress), {}, true, with, memory, what.out);
  const auto& counts = *setup.counts;
  counts.engine_events_total.add(static_cast<double>(counters.events));
  counts.engine_alerts_total.add(static_cast<double>(counters.alerts));
  counts.engine_refused_events_total.add(static_cast<double>(counters.refused));
  counts.engine_limits_hit_total.add(static_cast<double>(counters.limits_hit));
  counts.engine_window_evictions_total.add(static_cast<double>(evicted(*what.state) - evicted_before));
}

rule_actor::behavior_type rule(rule_actor::stateful_pointer<rule_state> self, rule_setup setup,
                               alert_sink_actor sink) {
  self->state.setup = std::move(setup);
  self->state.sink = std::move(sink);
  return {
      [self](evaluate_atom, const work_ptr& what) {
        self->state.evaluate(*what);
        if (self->state.setup.survived) self->state.setup.survived(*what);
        self->send(self->state.sink, append_atom_v, what);
      },
  };
}

} // namespace picket
