#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "store/overflow/overflow.hpp"
#include "store/pool/pool.hpp"

namespace picket {

/// A closed batch and where its records are: in the pool, in an overflow file, read back into memory, or in
/// more than one of these.
struct waiting_batch {
  store::batch_ref ref;
  bool in_pool = true;
  std::optional<store::stored_ref> stored;
  std::optional<store::stored_batch> loaded;
  bool lost = false;                ///< it could not be read back: it is stepped over when its turn comes
  std::int64_t unread_since_ms = 0; ///< the disk has not given it back since then; steady clock
  bool pinned = false;              ///< the overflow's thread works with it: nobody else touches it

  /// Its records can be handed out at once.
  bool ready(bool must_be_stored) const noexcept {
    return !pinned && (lost || ((in_pool || loaded) && (stored || !must_be_stored)));
  }
};
using waiting_batch_ptr = std::shared_ptr<waiting_batch>;

/// The batches of one shard in the order in which they run: active, closed, open. Where a batch lies does not
/// change its place, so nothing overtakes what is in the overflow.
struct shard_queue {
  mutable std::mutex mutex;
  std::optional<store::batch_writer> open;
  std::deque<waiting_batch_ptr> closed;
  waiting_batch_ptr active;
  std::optional<store::batch_reader> active_records; ///< of an active batch in the pool
  bool announced = false;                            ///< the dispatcher knows of its work
  bool blocked = false;    ///< the first batch waits for the overflow's thread, which announces it then
  bool over_quota = false; ///< it was refused room: its batches go to the overflow first

  bool has_more() const noexcept { return !closed.empty() || (open && open->records() > 0); }
};
using shard_queues = std::vector<std::unique_ptr<shard_queue>>;

} // namespace picket
