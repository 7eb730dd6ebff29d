#pragma once

#include <memory>
#include <set>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/agent_session/notice_sink.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/membership/interface.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "store/local/local_state.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket {

inline constexpr std::int64_t membership_tick_ms = 1'000;
inline constexpr int ticks_a_sweep = 5;
inline constexpr int ticks_a_tidy = 60;

struct membership_setup {
  cluster_view::member self;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<store::local_state> local;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<notice_sink> notices;
  /// When a connection of the agent brought its last byte, wall clock; 0: it has none. Now, while records of
  /// it wait unopened: among them may be its keep-alive. May be empty.
  std::function<std::int64_t(agent_id)> contact_ms;
  registry_actor registry;
  protocol::connection_limits limits;
  std::function<protocol::request_id()> next_request;
  std::function<std::int64_t()> wall_ms;    ///< the clock of the sweep; tests have their own
  std::function<result<void>()> store_more; ///< what else is written once a second; may be empty
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct membership_state {
  /// Puts back what was stored; nobody is connected yet.
  void load();
  void tick();
  void sweep();
  /// A message of an agent that came while it was removed may have made an entry again.
  void forget_unregistered();
  void confirm();
  bool store();
  void on_changes(const registry::registry_changes& changes);

  membership_actor::pointer self = nullptr;
  membership_setup setup;
  cluster_view view;
  std::set<agent_id> proven;
  bool confirming = false;
  int ticks = 0;
  static inline const char* name = "membership";
};

membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self,
                                           membership_setup setup);

} // namespace picket
