#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "net/address.hpp"
#include "net/limits.hpp"

namespace picket::net {

/// A rate that may be exceeded for a moment: `per_s` in the mean, `burst` at once. 0 a second: no limit.
struct allowance {
  double per_s = 0;
  double burst = 1;
};

/// How much of an allowance is used; pure, fed with instants of a steady clock.
class token_bucket {
public:
  /// False: there is none left, and nothing is taken.
  bool take(const allowance& of, std::int64_t now_ms) noexcept;

private:
  double used_ = 0;
  std::int64_t at_ms_ = 0;
};

struct address_guard_limits {
  allowance connections;          ///< new ones from one address
  allowance connections_in_all;   ///< new ones from all addresses together
  allowance failures;             ///< bad records from one address …
  std::int64_t penalty_ms = 0;    ///< … beyond which it gets no new connection for so long; 0: never
  std::size_t addresses = 16'384; ///< remembered; those that have not been seen for longest are forgotten
};

/// What a port knows of addresses before anything has been read from them (`limit_key`): how fast they
/// connect, and how much of what they sent was bad. An address from which somebody has proven himself, who is
/// connected or was within the last hour, is never in penalty: other machines may stand behind it (address
/// translation, a balancer).
///
/// Bound: `addresses`, and one row for each address with a proven connection. Thread-safe.
class address_guard {
public:
  static constexpr std::int64_t trusted_ms = 3'600'000;

  explicit address_guard(const address_guard_limits& limits)
      : limits_{limits} {}

  /// A connection wants to come in. Nothing: it may.
  std::optional<refusal> on_connect(const ip_address& from, std::int64_t now_ms);
  /// Something that it sent was bad.
  void on_failure(const ip_address& from, std::int64_t now_ms);
  /// It has proven itself; `on_gone` when that connection ends.
  void on_proven(const ip_address& from, std::int64_t now_ms);
  void on_gone(const ip_address& from, std::int64_t now_ms);

  std::size_t remembered() const;

private:
  struct row {
    ip_address key;
    token_bucket connections;
    token_bucket failures;
    std::int64_t penalty_until_ms = 0;
    std::int64_t trusted_until_ms = 0;
  };

  row& row_of(const ip_address& key);

  const address_guard_limits limits_;
  mutable std::mutex mutex_;
  token_bucket in_all_;
  std::list<row> rows_; ///< seen last in front
  std::unordered_map<ip_address, std::list<row>::iterator, ip_address_hash> index_;
  std::unordered_map<ip_address, std::size_t, ip_address_hash> proven_; ///< open connections
};

} // namespace picket::net
