#pragma once

#include <cstdint>
#include <optional>

#include "actors/dispatcher/work.hpp"

namespace picket {

/// Where the dispatcher's work waits: batches by shard. The pool in the node, a queue in tests. Thread-safe.
class work_source {
public:
  virtual ~work_source() = default;

  /// The next batch of the shard, closed if it was still open; its attempt is counted. Null: none. The
  /// dispatcher asks for no second one of a shard before it has finished the first.
  virtual work_ptr take(shard_id shard) = 0;

  /// How many attempts a later start finds for a batch that was taken and is not finished.
  virtual void count_attempts(const work& what, std::uint32_t attempts) = 0;

  /// The batch is written, or set aside: its room is free. True if the shard has more; false if not: the next
  /// record announces it.
  virtual bool finish(const work& done) = 0;

  /// Arrival of the oldest record that is not finished, wall clock; nothing if there is none.
  virtual std::optional<std::int64_t> oldest_arrival_ms() const = 0;
};

} // namespace picket
