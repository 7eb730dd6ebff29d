#pragma once

#include <functional>
#include <memory>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/dispatcher/interface.hpp"
#include "actors/dispatcher/shard_schedule.hpp"
#include "actors/dispatcher/work_source.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket {

inline constexpr std::uint32_t max_attempts = 3;

/// The two halves of an executor.
struct executor {
  decoder_actor decoder;
  rule_actor rule;
};

struct dispatcher_setup {
  std::size_t shards = 64;
  std::size_t executors = 1;
  std::shared_ptr<work_source> source;
  std::shared_ptr<const engine::ruleset> rules;
  /// A fresh state for a shard that has none.
  std::function<std::shared_ptr<engine::shard_state>()> make_state;
  /// A new executor, linked to nobody.
  std::function<executor()> make_executor;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct dispatcher_state {
  void start();
  void on_done(const work_ptr& what);
  void on_down(const caf::down_msg& down);
  /// Gives ready shards to free executors. Called after every change.
  void pump();
  void give(shard_schedule::assignment to);
  void settle_drain();
  void show();
  dispatch_status status() const;

  dispatcher_actor::pointer self = nullptr;
  dispatcher_setup setup;
  std::unique_ptr<shard_schedule> schedule;
  std::vector<executor> executors;
  std::vector<work_ptr> at_work; ///< by executor
  std::vector<std::shared_ptr<engine::shard_state>> states;
  std::vector<work_ptr> again; ///< by shard: taken, not finished, to run once more
  std::vector<caf::typed_response_promise<bool>> drains;
  std::uint64_t batches = 0;
  std::uint64_t requeued = 0;
  static inline const char* name = "dispatcher";
};

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                           dispatcher_setup setup);

} // namespace picket
