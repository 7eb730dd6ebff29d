#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "actors/dispatcher/record_return.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "store/deadletter/deadletter_store.hpp"

namespace picket {

/// What is done with dead letters: kept by the examiner, listed, sent on once more and dropped by operators.
/// Counts and logs. Thread-safe; every call but `list` waits for the disk, so none comes from CAF's pool.
class letter_office {
public:
  /// `back` null: letters cannot be sent on.
  letter_office(std::shared_ptr<store::deadletter_store> letters, std::shared_ptr<record_return> back,
                std::shared_ptr<const metrics> counts, std::shared_ptr<event_log> log);

  enum class keeping {
    kept,
    lost, ///< as many are kept as may be; that is said
    later ///< the disk does not take it now: the caller keeps the line and tries again
  };
  keeping keep(const store::dead_letter& letter);
  /// A letter of this text is kept, and counts it as seen again.
  bool seen(std::string_view text);
  /// Puts the line into its agent's shard; the letter goes when the shard has it. A crash in between gives
  /// the line twice. Errors: letter_unknown, corrupt, io, limit_reached (no room in the pool: try again).
  result<void> retry(const std::string& id);
  /// Errors: letter_unknown, io, permission.
  result<void> drop(const std::string& id);
  const store::deadletter_store& letters() const noexcept { return *letters_; }

private:
  void show() const;

  std::shared_ptr<store::deadletter_store> letters_;
  std::shared_ptr<record_return> back_;
  std::shared_ptr<const metrics> counts_;
  std::shared_ptr<event_log> log_;
  std::mutex mutex_; ///< two operators must not send one letter on twice
};

} // namespace picket
