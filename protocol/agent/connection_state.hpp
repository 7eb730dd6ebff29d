#pragma once

#include "protocol/agent/control.hpp"
#include "protocol/agent/counters.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/registry/commands.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// Is an agent there? The four states and their timers (agent-protocol 3.6), and who may have the agent when
/// two connections want it (agent-behaviour T1 to T3). Fed with instants; no clock inside.

namespace picket::protocol {

/// Why an agent is in its state; the numbers are the reference's.
enum class status_code : std::uint8_t {
  none = 0,
  invalid_version = 1,
  version_missing = 2,
  shutdown_received = 3,
  no_keepalive = 4,
  reset_by_manager = 5,
};

/// "never_connected", "pending", "active", "disconnected".
std::string_view name_of(agent_state state) noexcept;

struct connection_limits {
  std::int64_t disconnection_ms = 900'000; ///< silence after which an agent counts as disconnected
  std::int64_t alert_delay_ms = 0;         ///< from then to the notice
};

class connection_state {
public:
  agent_state state = agent_state::never_connected;
  status_code code = status_code::none;
  std::int64_t last_keepalive_ms = 0; ///< 0: never
  std::int64_t disconnection_ms = 0;  ///< 0: not disconnected
  bool notice_due = false;            ///< disconnected by silence, and the notice has not gone out

  /// A start-up was answered: accepted makes the agent pending; a refusal leaves the state and stores the
  /// code.
  void on_startup(std::int64_t now_ms, version_verdict verdict) noexcept;
  void on_keepalive(std::int64_t now_ms) noexcept;
  /// The notice that goes into analysis; nothing if the agent was disconnected before.
  std::optional<agent_notice> on_shutdown(std::int64_t now_ms) noexcept;
  /// The node starts: nobody is connected yet.
  void on_node_start(std::int64_t now_ms) noexcept;
  /// Called at least every 10 s. The notice is answered once. `contact_ms`: when the agent was heard last by
  /// other means than a keep-alive that was opened; 0: not.
  std::optional<agent_notice> sweep(std::int64_t now_ms, const connection_limits& limits,
                                    std::int64_t contact_ms = 0) noexcept;
  /// When the next sweep can change something; nothing: only a message can.
  std::optional<std::int64_t> next_sweep_ms(const connection_limits& limits) const noexcept;

  friend bool operator==(const connection_state&, const connection_state&) = default;
};

enum class takeover_verdict : std::uint8_t {
  first,        ///< no other connection is alive
  take_over,    ///< the older connection is superseded: stop writing to it, read it to its end
  refuse,       ///< answer `#!-err` with key_in_use_text; the older one is left alone
  refuse_clone, ///< the same, and it is time to tell the operator that two machines have the key
};

constexpr bool is_refusal(takeover_verdict verdict) noexcept {
  return verdict == takeover_verdict::refuse || verdict == takeover_verdict::refuse_clone;
}

struct takeover_limits {
  std::int64_t silence_ms = 60'000; ///< an older connection silent for so long may be replaced by anyone
  std::uint32_t limit = 3;          ///< takeovers of one agent …
  std::int64_t limit_window_ms = 600'000; ///< … in this time; beyond it refusals
  std::int64_t refusal_ms = 60'000;       ///< for so long
  /// So many refusals in the window mean a clone, as one that is over the limit does: a backlog of an agent's
  /// own dead connections brings a few at once, a clone one every 10 s.
  std::uint32_t clone_refusals = 6;
};

/// Decides which of two connections with one key has the agent. Every start-up must have been verified
/// before: a captured record, whose pair was seen, then evicts nobody. A start-up that comes late out of a
/// backlog is refused by the same rule.
class takeover_guard {
public:
  /// @param other_alive an older connection of this agent exists and is not at its end
  /// @param other_last_byte_ms when it was last heard
  takeover_verdict on_startup(counter_pair pair, std::int64_t now_ms, bool other_alive,
                              std::int64_t other_last_byte_ms, const takeover_limits& limits) noexcept;
  /// Every opened record of the bound connection.
  void on_record(counter_pair pair) noexcept {
    if (pair > highest_) highest_ = pair;
  }
  counter_pair highest() const noexcept { return highest_; }
  /// Too many takeovers: the operator should look for a clone.
  bool limited(std::int64_t now_ms) const noexcept { return now_ms < refuse_until_ms_; }

private:
  bool over_limit(std::int64_t now_ms, const takeover_limits& limits) noexcept;
  /// @param sure more than a suspicion
  takeover_verdict refusal(std::int64_t now_ms, bool sure, const takeover_limits& limits) noexcept;

  counter_pair highest_;
  std::array<std::int64_t, 8> taken_ms_{}; ///< newest first
  std::uint32_t taken_ = 0;
  std::int64_t refuse_until_ms_ = 0;
  std::uint32_t refusals_ = 0; ///< since …
  std::int64_t refusals_since_ms_ = 0;
  std::optional<std::int64_t> told_ms_; ///< of the clone
};

} // namespace picket::protocol
