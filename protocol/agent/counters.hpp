#pragma once

#include <compare>
#include <cstdint>

/// The pair of numbers in every record, and who may believe it (agent-protocol 2.8).

namespace picket::protocol {

inline constexpr std::uint32_t last_local_count = 9'997;

struct counter_pair {
  std::uint32_t global = 0;
  std::uint32_t local = 0;

  friend auto operator<=>(const counter_pair&, const counter_pair&) = default;
};

/// What an agent sends after `last`: local runs 1..9997, then global grows. The first pair ever is 0:1.
counter_pair next_agent_pair(counter_pair last) noexcept;

/// Pairs that the server sends, made from the clock: global is Unix seconds, local a running number. They
/// grow over restarts and over nodes without being stored. An agent reads the global part as a signed 32 bit
/// number, so this is good until 2038.
class server_counter {
public:
  /// How far ahead of the clock a session starts, so that it is above what another node sent last.
  static constexpr std::uint32_t lead_s = 2;

  /// @param floor a pair that was handed over; every pair of this counter is above it.
  explicit server_counter(std::int64_t now_unix_s, counter_pair floor = {}) noexcept;
  /// A pair above every one before, whatever the clock does.
  counter_pair next(std::int64_t now_unix_s) noexcept;
  /// The pair handed out last, for handing over.
  counter_pair last() const noexcept { return last_; }

private:
  counter_pair last_;
};

/// Received pairs, with receive checking on: each pair once, the newest 64 in any order. Neighbours swap even
/// on a healthy connection, because an agent's threads take the pair before they wait for the socket.
class receive_window {
public:
  static constexpr std::uint64_t width_pairs = 64;

  enum class verdict { fresh, repeated, too_old };

  verdict take(counter_pair pair) noexcept;
  /// Highest pair taken; 0:0 at first.
  counter_pair highest() const noexcept { return highest_; }

private:
  counter_pair highest_;
  std::uint64_t seen_ = 0; ///< bit n: the pair n below the highest was taken
};

} // namespace picket::protocol
