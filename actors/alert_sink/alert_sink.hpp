#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/alert_sink/journal_health.hpp"
#include "actors/dispatcher/interface.hpp"
#include "actors/dispatcher/work.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/error.hpp"
#include "base/telemetry/event_log.hpp"
#include "base/time.hpp"
#include "store/journal/journal_file.hpp"

namespace picket {

/// Texts of one or more batches, whole lines each.
struct journal_texts {
  std::string_view alerts_json;
  std::string_view alerts_text;
  std::string_view archives_json;
};

/// Where the sink writes; the files in the node, a recorder in tests. Used by the sink's thread only.
class alert_journal {
public:
  virtual ~alert_journal() = default;
  /// Writes each file once. On an error the same texts are given again, before any others; what a file has
  /// taken already is not written twice. Errors: disk_full, permission, io.
  virtual result<void> append(const journal_texts& texts, std::int64_t wall_ms) = 0;
  /// Every second: forces to the disk what is due, begins the files of a new day.
  virtual result<void> tick(std::int64_t wall_ms) = 0;
  /// Forces what was written to the disk.
  virtual result<void> sync() = 0;
  /// What happened by the way since the last call.
  virtual std::vector<store::journal_notice> take_notices() { return {}; }
  /// Times that a file was forced to the disk.
  virtual std::uint64_t syncs() const { return 0; }
};

inline constexpr std::int64_t journal_retry_ms = 1'000;
/// While it fails, the log says so again after so long.
inline constexpr std::int64_t journal_remind_ms = 60'000;

struct sink_setup {
  std::shared_ptr<alert_journal> journal; ///< the sink's alone
  std::int64_t tick_ms = 1'000;           ///< how often the journal is asked whether something is due
  bool strict = false;                    ///< a work counts as done only when it is on the disk
  /// Hands a written work back; the dispatcher in the node.
  std::function<void(const work_ptr&)> done;
  std::function<std::int64_t()> wall_ms;
  std::function<std::int64_t()> steady_ms = steady_clock_ms;
  std::shared_ptr<journal_health> health = std::make_shared<journal_health>();
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

struct alert_sink_state {
  void append(const work_ptr& what);
  /// Writes everything that waits; with `strict` one sync for all of it.
  void write();
  /// Writes what waits, up to the first that the journal refuses.
  void write_waiting();
  bool write_one(const work& what);
  void hand_back(const work_ptr& what);
  bool flush();
  void tick();
  /// What the journal's last call came to: counted, logged where it changes.
  bool judge(const result<void>& done);
  void recovered();
  void tell_notices();
  void show();

  alert_sink_actor::pointer self = nullptr;
  sink_setup setup;
  std::vector<work_ptr> waiting;
  std::vector<work_ptr> written; ///< not yet on the disk; only with `strict`
  bool write_asked = false;
  bool failing = false;
  std::int64_t failing_since_ms = 0;
  std::int64_t reminded_ms = 0;
  errc failing_with = errc::internal;
  static inline const char* name = "alert_sink";
};

alert_sink_actor::behavior_type alert_sink(alert_sink_actor::stateful_pointer<alert_sink_state> self,
                                           sink_setup setup);

} // namespace picket
