#pragma once

#include <memory>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/enroller/enrollment.hpp"
#include "actors/enroller/interface.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/registry/interface.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket {

/// How long an agent waits for the registry before it is told to come back.
inline constexpr std::int64_t enrollment_limit_ms = 8'000;
inline constexpr int evidence_tries = 3;

struct enroller_setup {
  enrollment_policy policy;
  registry_actor registry;
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses;
  std::function<std::string()> draw_key;
  std::function<protocol::request_id()> next_request;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct enroller_state {
  void enroll(const exchange_ptr& exchange);
  void propose(const exchange_ptr& exchange, protocol::agent_add add, int tries_left);
  void settle(const exchange_ptr& exchange, protocol::agent_add add, int tries_left,
              const registry::propose_answer& answer);
  void refuse(const exchange_ptr& exchange, const std::string& text, const std::string& reason);

  enroller_actor::pointer self = nullptr;
  enroller_setup setup;
  static inline const char* name = "enroller";
};

enroller_actor::behavior_type enroller(enroller_actor::stateful_pointer<enroller_state> self,
                                       enroller_setup setup);

/// What is known of an agent's connection, for a decision on replacing it.
protocol::agent_evidence evidence_of(const agent_status_table& statuses, agent_id id,
                                     std::uint64_t registration);

} // namespace picket
