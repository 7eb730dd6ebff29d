#include "actors/watch/part_watch.hpp"

#include <caf/deep_to_string.hpp>

namespace picket {

void part_watch::on_end(const std::string& name, const caf::error& reason) {
  if (over_ || failed_.exchange(true)) return;
  log_->write(log_event::part_failed, {{"part", name}, {"reason", caf::deep_to_string(reason)}});
  on_failure_();
}

} // namespace picket
