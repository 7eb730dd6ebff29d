#pragma once

#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "protocol/agent/control.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a real agent does on its connection, with its timing, as a machine without sockets and clocks: bytes
/// and instants go in, bytes come out. (agent-behaviour 6, agent-protocol 3.3 to 3.5)

namespace picket::agentsim {

struct agent_timing {
  std::int64_t notify_ms = 20'000;         ///< between keep-alives; 0: none
  std::int64_t time_reconnect_ms = 60'000; ///< silence of the server after which the agent connects anew
  std::int64_t recv_timeout_ms = 60'000;   ///< for the answer to the start-up
  std::int64_t retry_interval_ms = 10'000; ///< after a failed attempt
  unsigned max_retries = 5;                ///< attempts per server
};

struct agent_options {
  agent_timing timing;
  std::string version = "v4.14.7";
  protocol::record_cipher cipher = protocol::record_cipher::aes;
  bool sends_id = true;
  bool announces_start = true; ///< the event "Agent started" after the first connection
  std::size_t servers = 1;
  protocol::counter_pair first_counters; ///< the pair before the first; grows over restarts
};

/// Figures of one agent.
struct agent_counts {
  std::uint64_t events = 0; ///< given to the connection
  std::uint64_t keepalives = 0;
  std::uint64_t acks = 0;
  std::uint64_t startups = 0;
  std::uint64_t connects = 0; ///< start-ups that were acknowledged
  std::uint64_t refusals = 0; ///< `#!-err`
  std::uint64_t lost_connections = 0;
  std::uint64_t bad_records = 0; ///< from the server, not to be opened
};

class sim_agent {
public:
  enum class phase { offline, connecting, starting, connected, waiting };
  /// What the owner of the socket must do next.
  enum class ask {
    nothing,
    open,   ///< close the socket if there is one, and connect
    close,  ///< close the socket now
    finish, ///< send what is in `output`, then end the connection; then call `on_closed`
  };

  sim_agent(agent_identity who, const agent_options& options);

  ask start(std::int64_t now_ms);
  /// Says goodbye, if it is connected.
  ask stop(std::int64_t now_ms);
  ask on_connected(std::int64_t now_ms);
  /// The connection was refused, or ended, or reset.
  ask on_closed(std::int64_t now_ms);
  ask on_bytes(byte_view bytes, std::int64_t now_ms);
  ask on_timer(std::int64_t now_ms);
  /// When `on_timer` has something to do.
  std::int64_t next_timer_ms() const noexcept;

  /// Seals an event message into `output`. @pre now() == phase::connected
  void send_message(std::string_view message);
  /// Appends a frame that was sealed beforehand. @pre the same
  void send_sealed(byte_view frame);
  /// Seals a message with the pair that would come next, for sending later.
  void seal_beforehand(std::string_view message, byte_buffer& to);

  phase now() const noexcept { return phase_; }
  const agent_identity& who() const noexcept { return who_; }
  std::size_t server() const noexcept { return server_; }
  const agent_counts& counts() const noexcept { return counts_; }
  /// Records put into `output` since the connection was opened, the start-up included.
  std::uint64_t records_of_connection() const noexcept { return records_; }
  const std::string& last_refusal() const noexcept { return last_refusal_; }

  byte_buffer output;          ///< bytes to send …
  std::size_t output_sent = 0; ///< … of which so many are gone
  std::size_t unsent() const noexcept { return output.size() - output_sent; }
  /// Drops what was sent from the front.
  void trim_output();

private:
  ask on_record(byte_view record, std::int64_t now_ms);
  ask on_message(std::string_view message, std::int64_t now_ms);
  ask on_first_message(const protocol::server_message& message, std::int64_t now_ms);
  ask fail_attempt(std::int64_t now_ms);
  ask open(std::int64_t now_ms);
  void seal(std::string_view message, byte_buffer& to);
  void send_keepalive(std::int64_t now_ms);
  void take_file(std::string_view message, const protocol::server_message& parsed);

  agent_identity who_;
  agent_options options_;
  protocol::record_sealer sealer_;
  protocol::record_opener opener_;
  protocol::counter_pair counters_;
  std::uint64_t records_ = 0;
  phase phase_ = phase::offline;
  agent_counts counts_;
  std::string last_refusal_;
  byte_buffer in_;
  std::size_t server_ = 0;
  unsigned attempts_ = 0;
  bool reconnecting_ = false; ///< the connection is being ended in order to make a new one
  bool stopped_ = false;
  bool announced_ = false;
  std::int64_t deadline_ms_ = 0;       ///< of the start-up, or of the pause
  std::int64_t last_control_ms_ = 0;   ///< when the server was heard last
  std::int64_t next_keepalive_ms_ = 0; ///< 0: not yet connected for the first time
  std::string merged_sum_ = "x";
  std::string announced_sum_;
  std::string file_;
  bool in_file_ = false;
};

} // namespace picket::agentsim
