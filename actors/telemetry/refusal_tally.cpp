#include "actors/telemetry/refusal_tally.hpp"

namespace picket {

refusal_tally::refusal_tally(std::string port, std::shared_ptr<const metrics> counts,
                             const counter_metric metrics::*which, std::shared_ptr<event_log> log)
    : port_{std::move(port)}
    , counts_{std::move(counts)}
    , which_{which}
    , log_{std::move(log)} {}

void refusal_tally::note(net::refusal reason, const net::ip_address& from, std::int64_t now_ms) {
  ((*counts_).*which_).add_for(net::name_of(reason));
  std::uint64_t unsaid = 0;
  {
    std::lock_guard lock{mutex_};
    ++total_;
    auto& known = rows_[static_cast<std::size_t>(reason)];
    ++known.unsaid;
    if (now_ms - known.said_ms < log_every_ms) return;
    known.said_ms = now_ms;
    std::swap(unsaid, known.unsaid);
  }
  log_->write(log_event::connections_refused, {{"port", port_},
                                               {"reason", net::name_of(reason)},
                                               {"connections", unsaid},
                                               {"last_from", net::to_string(from)}});
}

std::uint64_t refusal_tally::total() const {
  std::lock_guard lock{mutex_};
  return total_;
}

} // namespace picket
