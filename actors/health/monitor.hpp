#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/dispatcher/interface.hpp"
#include "actors/health/health_board.hpp"
#include "actors/health/interface.hpp"
#include "actors/health/minute_rates.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket {

inline constexpr std::int64_t monitor_tick_ms = 1'000;
/// The wall clock and the steady one may differ by so much over a tick.
inline constexpr std::int64_t clock_jump_ms = 5'000;
inline constexpr std::int64_t dispatcher_limit_ms = 60'000;

struct monitor_setup {
  /// Gathers the facts but those that the monitor knows itself; may wait for a disk.
  std::function<health_facts()> look;
  std::shared_ptr<health_board> board;
  dispatcher_actor dispatcher; ///< may be null
  std::function<std::int64_t()> steady_ms;
  std::function<std::int64_t()> wall_ms;
  readiness_limits limits;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct monitor_state {
  void tick();
  void sample_rates(std::int64_t now_ms);
  void ask_dispatcher(std::int64_t now_ms);
  void watch_clock(std::int64_t now_ms);
  void judge(std::int64_t now_ms);

  monitor_actor::pointer self = nullptr;
  monitor_setup setup;
  readiness health;
  minute_rates rates;
  std::shared_ptr<const std::vector<std::string>> series; ///< of `rates`
  bool ready = true;
  bool asked = false;               ///< the dispatcher has a question
  std::int64_t unanswered_ms = -1;  ///< since when it has owed an answer; -1: it owes none
  std::int64_t clocks_apart_ms = 0; ///< wall clock less steady clock
  bool clocks_known = false;
  static inline const char* name = "monitor";
};

/// Looks once before it returns its behaviour.
monitor_actor::behavior_type monitor(monitor_actor::stateful_pointer<monitor_state> self,
                                     monitor_setup setup);

} // namespace picket
