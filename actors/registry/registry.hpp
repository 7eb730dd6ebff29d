#pragma once

#include <memory>
#include <optional>
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

/// Decisions of a single node: its tables are the store.
class embedded_ground final : public decision_ground {
public:
  explicit embedded_ground(store::registry_tables& tables)
      : tables_{tables} {}
  result<void> look(const looker& look) override;
  bool take_own(const expected_head&, std::uint64_t, const store::registry_batch&) override { return true; }
  std::uint64_t applied() override;
  void doubt(const expected_head&) override {}

private:
  store::registry_tables& tables_;
};

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
  void begin(registry_setup given);
  caf::typed_response_promise<propose_answer> propose(proposal_ptr what);
  propose_answer outcome(const protocol::request_id& id);
  /// Decides and commits one batch, answers it, tells the subscribers.
  void commit();
  void ask_commit();
  void count(const propose_answer& answer);
  void tell_subscribers(const store::registry_batch& batch);
  registry_status status();

  registry_actor::pointer self = nullptr;
  registry_setup setup;
  std::optional<embedded_ground> ground;
  std::optional<batcher> commands;
  std::vector<registry_subscriber_actor> subscribers;
  bool commit_asked = false;
  static inline const char* name = "registry";
};

registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
                                       registry_setup setup);

} // namespace picket::registry
