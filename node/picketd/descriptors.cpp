#include "node/picketd/descriptors.hpp"

#include <algorithm>

#include <sys/resource.h>

namespace picket {

namespace {

/// Files of stores, journal and overflow (256), sockets of the two HTTP endpoints, event loops.
constexpr std::int64_t for_others = 512;

} // namespace

bool fit_to_descriptors(config::settings& settings, std::int64_t descriptors) {
  auto& connections = settings.ingest.max_connections;
  auto& exchanges = settings.enrollment.max_exchanges;
  // With nine tenths in use the node counts as not ready; connections alone must not bring it there.
  const auto room = std::max<std::int64_t>(2, descriptors / 8 * 7 - for_others);
  if (connections + exchanges <= room) return false;
  exchanges = std::min(exchanges, std::max<std::int64_t>(1, room / 8));
  connections = std::min(connections, room - exchanges);
  return true;
}

void fit_to_descriptors(config::settings& settings, event_log& log) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) getrlimit(RLIMIT_NOFILE, &limit);
  }
  constexpr rlim_t plenty = 100'000'000;
  const auto descriptors = static_cast<std::int64_t>(std::min(limit.rlim_cur, plenty));
  if (!fit_to_descriptors(settings, descriptors)) return;
  log.write(log_event::few_descriptors, {{"descriptors", descriptors},
                                         {"max_connections", settings.ingest.max_connections},
                                         {"max_exchanges", settings.enrollment.max_exchanges}});
}

} // namespace picket
