#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "net/limits.hpp"

namespace picket {

/// Counts the connections that a port refused, by reason, and says so in the log: one line for each reason at
/// most every ten seconds, with how many it stands for and the address of the last. Thread-safe.
class refusal_tally {
public:
  static constexpr std::int64_t log_every_ms = 10'000;

  /// `which`: the counter of the port, with `name_of(refusal)` as label.
  refusal_tally(std::string port, std::shared_ptr<const metrics> counts, const counter_metric metrics::*which,
                std::shared_ptr<event_log> log);

  /// `now_ms`: steady clock.
  void note(net::refusal reason, const net::ip_address& from, std::int64_t now_ms);
  std::uint64_t total() const;

private:
  struct row {
    std::uint64_t unsaid = 0;
    std::int64_t said_ms = -log_every_ms;
  };

  std::string port_;
  std::shared_ptr<const metrics> counts_;
  const counter_metric metrics::*which_;
  std::shared_ptr<event_log> log_;
  mutable std::mutex mutex_;
  std::array<row, net::refusal_count> rows_;
  std::uint64_t total_ = 0;
};

} // namespace picket
