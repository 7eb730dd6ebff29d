#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "actors/agent_session/interface.hpp"
#include "actors/agent_session/session_link.hpp"

namespace picket {

/// Who is connected here: sessions by connection and by agent. Thread-safe; used by the I/O threads
/// (binding), the decoders (control messages, bad records) and whoever has something for an agent.
///
/// Bound: one anchor for each agent that was seen, one entry for each bound connection.
class session_directory {
public:
  struct entry {
    session_link_ptr link;
    agent_session_actor session;
  };

  /// `floor`: every pair that goes to an agent is above it.
  explicit session_directory(protocol::counter_pair floor = {})
      : floor_{floor} {}

  /// What the agent's connections share; made at the first call.
  std::shared_ptr<agent_anchor> anchor(agent_id id);

  /// The connection has the agent now.
  void bind(session_link_ptr link, agent_session_actor session);
  void unbind(const session_link& link);

  std::optional<entry> by_token(net::connection_token token) const;
  /// The connection that has the agent now.
  std::optional<entry> by_agent(agent_id id) const;
  /// Connection and figures of an agent; empty if it was not seen since the start.
  agent_contact contact(agent_id id) const;
  /// The agent is gone from the registry.
  void forget(agent_id id);
  /// When the agent's connection brought its last byte, wall clock; now while records of it wait unopened; 0:
  /// it has no connection.
  std::int64_t contact_ms(agent_id id) const;

  /// A batch is gone unopened, with records of agents of which `concerns` is true: nobody waits for them any
  /// more. The sessions that only waited for that, unbound; the caller tells them. Looks at every connection.
  std::vector<agent_session_actor> lose_batch(std::uint64_t batch,
                                              const std::function<bool(agent_id)>& concerns);
  /// Lets go of all connections, before the actors' system goes. Their sessions.
  std::vector<agent_session_actor> clear();

  std::size_t size() const noexcept { return bound_.load(std::memory_order_relaxed); }

private:
  static constexpr std::size_t stripes = 64;
  struct token_stripe {
    mutable std::mutex mutex;
    std::unordered_map<net::connection_token, entry> entries;
  };
  struct agent_stripe {
    mutable std::mutex mutex;
    std::unordered_map<agent_id, std::shared_ptr<agent_anchor>> anchors;
  };

  const protocol::counter_pair floor_;
  std::array<token_stripe, stripes> tokens_;
  std::array<agent_stripe, stripes> agents_;
  std::atomic<std::size_t> bound_{0};
};

} // namespace picket
