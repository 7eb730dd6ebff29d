#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actors/telemetry/metrics.hpp"
#include "net/listener.hpp"

namespace picket {

struct agent_check_options {
  net::endpoint where;
  /// Why the node should get no new agents; empty: it may have them. Called on the port's thread; must not
  /// wait.
  std::function<std::string()> why_not;
};

/// What the port answers: "ready\n" or "drain\n". Never a word that takes the server down: HAProxy would then
/// cut the sessions that the node still serves (`on-marked-down`). That a node is dead or frozen is for the
/// check of its agent port to find.
std::string_view agent_check_answer(const std::string& why_not) noexcept;

/// The port that HAProxy's `agent-check` asks whether the node should get new agents (HAProxy's configuration
/// manual, "agent-check"): whoever connects is told in one line, and the connection ends. What comes in is
/// not looked at.
///
/// A thread of its own, so that the answer comes in time whatever else is busy. Bound: `max_connections`,
/// each for `limit_ms`; more are closed at once, which HAProxy takes for no news.
class agent_check_port {
public:
  static constexpr std::size_t max_connections = 64;
  static constexpr std::int64_t limit_ms = 2'000;

  /// Errors: address_in_use, permission, io.
  static result<std::unique_ptr<agent_check_port>> open(agent_check_options options,
                                                        std::shared_ptr<const metrics> counts);
  ~agent_check_port();

  void stop();
  const net::endpoint& where() const noexcept { return listener_->where(); }

private:
  agent_check_port() = default;
  std::unique_ptr<net::io_thread> thread_;
  std::unique_ptr<net::listener> listener_;
};

} // namespace picket
