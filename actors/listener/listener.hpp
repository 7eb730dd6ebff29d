#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/listener/agent_connection.hpp"
#include "actors/listener/interface.hpp"
#include "net/listener.hpp"

namespace picket {

struct agent_port_options {
  net::endpoint where;
  unsigned io_threads = 1;
  std::size_t max_connections = 100'000;
  std::size_t max_connections_per_address = 0; ///< 0: no limit
  int backlog = 4'096;
  net::connection_options connections;
  std::vector<net::address_range> proxies; ///< balancers whose connections begin with a PROXY header …
  std::int64_t proxy_header_ms = 5'000;    ///< … within so long
};

/// The sockets of the agent port and the threads that serve them.
class agent_port {
public:
  /// Binds; nothing is accepted before `start`. Errors: address_in_use, io.
  static result<std::shared_ptr<agent_port>> open(const agent_port_options& options,
                                                  std::shared_ptr<const port_context> context);
  ~agent_port();

  result<void> start();
  /// Accepts no more, then ends every connection: sends no more to it, reads it until the agent has ended it
  /// as well, so that nothing on its way is lost (agent-behaviour.md D2). Blocks until then, at most
  /// `farewell_limit_ms` for agents that do not end it and `last_read_limit_ms` for connections that wait for
  /// room.
  /// False: a connection had bytes that found no room; they are lost.
  bool stop();
  const net::endpoint& where() const noexcept { return listeners_.front()->where(); }
  std::size_t connections() const noexcept { return limits_->open(); }
  std::uint64_t refused() const noexcept { return refusals_->total(); }

private:
  agent_port() = default;
  /// On the thread: how many connections the agents have not ended yet.
  std::size_t half_close_all(std::size_t thread);
  /// On the thread: reads what has arrived and ends the connections. False: some wait for room and stay.
  bool end_connections(std::size_t thread);
  /// Half-closes all connections until the agents have ended them, for a while.
  void say_farewell();
  /// False: some still had no room for what they had read when the time was over.
  bool read_to_the_end();

  static constexpr std::int64_t last_read_limit_ms = 10'000;
  static constexpr std::int64_t farewell_limit_ms = 2'000;
  std::vector<std::unique_ptr<net::io_thread>> threads_;
  std::vector<std::unique_ptr<net::listener>> listeners_;
  std::shared_ptr<net::connection_limits> limits_;
  std::shared_ptr<refusal_tally> refusals_;
  std::mutex stopping_;
  bool stopped_ = false;
  bool all_read_ = true;
};

struct listener_setup {
  std::shared_ptr<agent_port> port;
  std::shared_ptr<session_directory> sessions;
  registry_actor registry;
};

struct listener_state {
  void on_changes(const registry::registry_changes& changes);
  listener_setup setup;
  static inline const char* name = "listener";
};

listener_actor::behavior_type listener(listener_actor::stateful_pointer<listener_state> self,
                                       listener_setup setup);

} // namespace picket
