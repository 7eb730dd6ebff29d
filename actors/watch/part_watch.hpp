#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <caf/error.hpp>

#include "base/telemetry/event_log.hpp"

namespace picket {

/// Notices when an actor ends that the node cannot do without. An actor ends by a defect only (an exception
/// that nobody caught), and then silently: without this its neighbours would wait for ever. Thread-safe.
class part_watch {
public:
  /// `on_failure` is called at most once, on whatever thread the part ended; it must not block.
  part_watch(std::shared_ptr<event_log> log, std::function<void()> on_failure)
      : log_{std::move(log)}
      , on_failure_{std::move(on_failure)} {}

  /// From now on parts may end.
  void expect_the_end() noexcept { over_ = true; }
  bool failed() const noexcept { return failed_; }

  /// The part with this name has ended.
  void on_end(const std::string& name, const caf::error& reason);

private:
  std::shared_ptr<event_log> log_;
  std::function<void()> on_failure_;
  std::atomic<bool> over_{false};
  std::atomic<bool> failed_{false};
};

/// The node cannot do without this actor.
template <class Handle>
void watch(const std::shared_ptr<part_watch>& by, const Handle& part, const std::string& name) {
  part->attach_functor([by, name](const caf::error& reason) { by->on_end(name, reason); });
}

} // namespace picket
