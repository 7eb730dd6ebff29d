#pragma once

#include <functional>
#include <memory>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/dispatcher/interface.hpp"
#include "actors/dispatcher/work.hpp"
#include "actors/telemetry/metrics.hpp"
#include "engine/api.hpp"

namespace picket {

/// What the rules of a node share.
struct rule_setup {
  std::shared_ptr<engine::node_state> node;
  std::shared_ptr<engine::first_seen> first;
  std::shared_ptr<engine::global_windows> global;
  engine::engine_limits limits;
  engine::wanted_outputs outputs;
  std::shared_ptr<const metrics> counts;
  /// The analysis of a batch came to its end. May be empty.
  std::function<void(const work&)> survived;
};

struct rule_state {
  void evaluate(work& what);

  rule_setup setup;
  alert_sink_actor sink;
  engine::scratch memory;
  engine::engine_counters counters;
  static inline const char* name = "rule";
};

rule_actor::behavior_type rule(rule_actor::stateful_pointer<rule_state> self, rule_setup setup,
                               alert_sink_actor sink);

} // namespace picket
