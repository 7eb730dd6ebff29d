#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/telemetry/event_log.hpp"
#include "config/settings.hpp"
#include "net/address.hpp"

namespace picket {

/// The argument with which a node starts its own program to run a batch line by line, see
/// `run_examination_child`. Nobody else uses it.
inline constexpr const char* examination_word = "--examine-batch";
/// The life of that process; its exit code.
int run_examination();

/// One node: its actors, ports and files, from the start to the stop.
///
/// Start: directories, stores, rule set, actors, ports; the first thing that fails ends it with an error, and
/// nothing is left running. Stop: source first, storage last, so that everything that was read is analysed
/// and written.
class node {
public:
  /// `on_failure`: a part has ended by a defect; stop the node. Called at most once, on any thread; must not
  /// block. Errors: whatever part cannot start says what, where and how to mend it.
  static result<std::unique_ptr<node>> start(const config::settings& settings, std::shared_ptr<event_log> log,
                                             std::function<void()> on_failure);
  ~node();

  /// Blocks until everything that was read is finished, at most `node.stop_timeout_s`. True: nothing is left
  /// in the pool. May be called once.
  bool stop();
  /// A part has ended by a defect.
  bool failed() const;

  /// The addresses really bound.
  net::endpoint agent_port() const;
  net::endpoint enrollment_port() const; ///< port 0 where it is switched off
  net::endpoint api_port() const;
  net::endpoint health_port() const;

  struct parts;

private:
  explicit node(std::unique_ptr<parts> made);
  std::unique_ptr<parts> parts_;
};

} // namespace picket
