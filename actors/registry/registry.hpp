#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/registry/batcher.hpp"
#include "actors/registry/interface.hpp"
#include "actors/registry/store.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket::registry {

inline constexpr std::size_t queue_limit_commands = 2'048;
inline constexpr std::size_t batch_limit_commands = 120;

/// What the registry is given. `tables` is the node's replica: every reader reads it without asking the
/// actor.
struct registry_setup {
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<registry_store> store;
  decide_context context;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct registry_state {
  struct waiting {
    proposal_ptr what;
    caf::typed_response_promise<propose_answer> promise;
  };

  caf::typed_response_promise<propose_answer> propose(proposal_ptr what);
  propose_answer outcome(const protocol::request_id& id);
  /// Decides and commits up to `batch_limit_commands`, answers them, tells the subscribers.
  void commit();
  void answer(std::vector<waiting>& taken, const decided_batch& decided, const commit_outcome& done);
  void tell_subscribers(const store::registry_batch& batch);
  registry_status status();

  registry_actor::pointer self = nullptr;
  registry_setup setup;
  std::deque<waiting> queue;
  std::vector<registry_subscriber_actor> subscribers;
  bool commit_asked = false;
  static inline const char* name = "registry";
};

registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
                                       registry_setup setup);

} // namespace picket::registry
