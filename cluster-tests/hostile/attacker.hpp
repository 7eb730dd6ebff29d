#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "cluster-tests/agentsim/blocking_agent.hpp"

/// Bad neighbours of a node: each attack is a loop that runs until its time is over. Only against addresses
/// of this machine.

namespace picket::hostile {

/// The node that is attacked, and what the attacker knows.
struct target {
  agentsim::socket_address agents;
  agentsim::socket_address enrollment;
  agentsim::socket_address api;
  agentsim::socket_address health;
  agentsim::agent_identity insider; ///< an agent of the attacker's own: he has its key
  agentsim::agent_identity victim;  ///< he knows its id and what it has sent, and for clones its key
};

/// What an attack did.
struct attack_counts {
  std::atomic<std::uint64_t> connections{0}; ///< that were made
  std::atomic<std::uint64_t> failed{0};      ///< that were not
  std::atomic<std::uint64_t> sent{0};        ///< messages, frames, requests
  std::atomic<std::uint64_t> closed{0};      ///< connections that the node ended
  std::atomic<std::uint64_t> answers{0};
};

/// A running attack: its time, its pace, its sockets.
class attacker {
public:
  /// `per_s`: connections or messages a second, as the attack counts them; `sockets`: open at a time.
  attacker(target at, std::int64_t until_ms, double per_s, std::size_t sockets);

  bool going() const;
  /// From any thread.
  void stop() noexcept { stopped_ = true; }
  /// Waits until the next step is due at the given pace. False: the time is over.
  bool pace();
  void rest(int ms) const;

  /// A connection that is made, or an empty descriptor. `source`: which of the addresses 127.66.0.0/16;
  /// negative: the system's choice.
  agentsim::file_descriptor connect(const agentsim::socket_address& to, int source = -1);
  /// Sends what the socket takes at once. False: not all of it.
  bool send(const agentsim::file_descriptor& to, byte_view bytes);
  bool send(const agentsim::file_descriptor& to, std::string_view text) { return send(to, as_bytes(text)); }
  /// Whether the node has ended the connection; what it sent is thrown away.
  bool closed(const agentsim::file_descriptor& which);
  /// Waits until the node has ended it, at most `limit_ms`.
  bool wait_closed(const agentsim::file_descriptor& which, std::int64_t limit_ms);
  /// Ends it without leaving anything behind in the kernel.
  static void reset(agentsim::file_descriptor& which);

  const target at;
  const std::size_t sockets;
  attack_counts counts;

private:
  std::int64_t until_ms_;
  double per_s_;
  double due_ms_;
  std::atomic<bool> stopped_{false};
};

struct attack {
  std::string_view name;
  std::string_view what;
  void (*run)(attacker&);
  double per_s;        ///< of its own pace
  std::size_t sockets; ///< that it holds open
};

/// All attacks, by kind.
std::span<const attack> agent_port_attacks();
std::span<const attack> record_attacks();
std::span<const attack> enrollment_attacks();
std::span<const attack> http_attacks();

/// Null if there is none of this name.
const attack* find_attack(std::string_view name);

} // namespace picket::hostile
