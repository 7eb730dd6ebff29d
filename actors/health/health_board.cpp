#include "actors/health/health_board.hpp"

namespace picket {

double health_board::view::grown(std::string_view name) const {
  for (std::size_t i = 0; series && i < series->size() && i < growth.size(); ++i)
    if ((*series)[i] == name) return growth[i];
  return 0;
}

void health_board::publish(view latest) {
  std::lock_guard lock{mutex_};
  latest_ = std::move(latest);
}

health_board::view health_board::look(std::int64_t now_ms) const {
  view now;
  {
    std::lock_guard lock{mutex_};
    now = latest_;
  }
  auto silent_ms = now_ms - now.judged_ms;
  if (silent_ms >= stale_ms)
    now.findings.insert(
        now.findings.begin(),
        {"the node has not been able to look at itself for " + std::to_string(silent_ms / 1000) + " s",
         "a disk hangs, or the machine is far too busy; see the system's log", true, true});
  return now;
}

} // namespace picket
