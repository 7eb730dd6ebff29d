#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/dispatcher/interface.hpp"
#include "actors/dispatcher/shard_schedule.hpp"
#include "actors/dispatcher/work_source.hpp"
#include "actors/examiner/interface.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket {

inline constexpr std::uint32_t max_attempts = 3;
/// How long the examiner may take for one batch, the keeping of letters included.
inline constexpr std::int64_t examine_limit_ms = 150'000;

/// The two halves of an executor.
struct executor {
  decoder_actor decoder;
  rule_actor rule;
  bool decoder_ended = false;
  bool rule_ended = false;
};

/// Between two tries to write the letters of a batch.
inline constexpr std::chrono::seconds postpone_wait{10};

struct dispatcher_setup {
  std::size_t shards = 64;
  std::size_t executors = 1;
  std::shared_ptr<work_source> source;
  examiner_actor examiner;
  /// Shards whose first batch has been begun by an earlier process that did not finish it.
  std::vector<shard_id> suspects;
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
  void replace_executor(std::size_t which);
  /// Gives ready shards to free executors. Called after every change.
  void pump();
  std::optional<shard_schedule::assignment> next_assignment();
  void give(shard_schedule::assignment to);
  void run(const work_ptr& what);
  /// Before the last attempt: what is fatal in it is left out. After it: all its lines become dead letters,
  /// asked again until it is done. Its shard waits.
  void examine(const work_ptr& what);
  /// One at a time, in the order of `examinations`.
  void ask_examiner();
  /// `found` null: no answer came in time.
  void on_examined(const work_ptr& what, const examined* found);
  void finish(const work& what);
  void settle_drain();
  void show();
  dispatch_status status() const;

  dispatcher_actor::pointer self = nullptr;
  dispatcher_setup setup;
  std::unique_ptr<shard_schedule> schedule;
  std::vector<executor> executors;
  std::vector<work_ptr> at_work; ///< by executor
  std::vector<std::shared_ptr<engine::shard_state>> states;
  std::set<shard_id> suspects;
  std::vector<work_ptr> again;       ///< by shard: taken, not finished, to run once more
  std::deque<work_ptr> examinations; ///< that wait for the examiner; at most one of a shard
  bool asking = false;               ///< the examiner has one
  std::vector<caf::typed_response_promise<bool>> drains;
  std::uint64_t batches = 0;
  std::uint64_t requeued = 0;
  static inline const char* name = "dispatcher";
};

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                           dispatcher_setup setup);

} // namespace picket
