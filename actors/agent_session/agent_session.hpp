#pragma once

#include <memory>
#include <string>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/agent_session/interface.hpp"
#include "actors/agent_session/notice_sink.hpp"
#include "actors/agent_session/session_link.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket {

/// The way to the agent as the session needs it; the link in the node, a recorder in tests.
class agent_channel {
public:
  virtual ~agent_channel() = default;
  virtual bool send(std::string_view message) = 0;
  virtual bool superseded() const = 0;
  /// Reading is paused, or records have waited unopened for `waiting_ms` (steady clock).
  virtual bool needs_heartbeat(std::int64_t now_ms, std::int64_t waiting_ms) const = 0;
};

struct session_setup {
  agent_id agent = 0;
  std::string name;
  std::string registered_address;
  std::uint64_t registration = 0;
  std::int64_t heartbeat_ms = 10'000; ///< `agents.ack_interval_ms`
  std::shared_ptr<agent_channel> channel;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<notice_sink> notices;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct agent_session_state {
  void control(const control_batch::message& message);
  void keepalive(std::string_view body, std::int64_t arrival_ms);
  void shutdown(std::int64_t arrival_ms);
  void acknowledge();
  void tick(std::int64_t now_ms);
  /// Hands a notice to analysis; keeps it for the next tick while there is no room.
  void hand_in(protocol::agent_notice notice);

  session_setup setup;
  std::vector<protocol::notice_event> waiting_notices; ///< at most a few: one for each shutdown
  bool closed = false;
  static inline const char* name = "agent_session";
};

agent_session_actor::behavior_type
agent_session(agent_session_actor::stateful_pointer<agent_session_state> self, session_setup setup);

/// The channel of a real connection.
std::shared_ptr<agent_channel> make_channel(session_link_ptr link);

} // namespace picket
