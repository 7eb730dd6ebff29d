#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "actors/dispatcher/shard_queue.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket {

enum class overflow_state : std::uint8_t {
  off,       ///< there is none
  accepting, ///<
  full,      ///< its limit, or the room that must stay free on the disk
  failing    ///< the disk refused
};

struct overflow_pump_setup {
  std::shared_ptr<store::pool> pool;
  std::shared_ptr<store::overflow> files; ///< null: no overflow
  bool durable = false;                   ///< every batch is forced to the disk before it may run
  /// A shard that waited for this has work that is ready.
  std::function<void(shard_id)> announce;
  /// A disk that works otherwise and does not give a batch back for so long never will.
  std::int64_t unreadable_after_ms = 60'000;
  /// There is room again in the pool.
  std::function<void()> on_room;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
};

/// Moves batches between the pool and the overflow files: out when segments are short, or always with durable
/// ingest; back into memory when their turn comes. `serve` waits for the disk and belongs to one thread.
///
/// Bound: `loaded_limit_bytes` of batches that were read back, beyond the one that each executor has.
class overflow_pump {
public:
  static constexpr std::size_t loaded_limit_bytes = std::size_t{16} << 20U;
  static constexpr std::size_t batches_a_round = 64;
  static constexpr std::size_t room_of_a_batch_bytes = 512 * 1'024;

  overflow_pump(overflow_pump_setup setup, shard_queues& queues);

  /// Segments free below which batches go out, and up to which.
  std::uint32_t begin_below() const noexcept { return segments_ / 8 * 3; }
  std::uint32_t end_at() const noexcept { return segments_ / 2; }

  /// One round of work. True: there is more to do at once.
  bool serve();
  overflow_state state() const noexcept { return state_.load(std::memory_order_acquire); }
  bool short_of_segments() const noexcept {
    return state() != overflow_state::off && setup_.pool->free_segments() < begin_below();
  }
  /// Batches that an earlier process left in files alone.
  void found_outside(std::size_t batches) noexcept { outside_.fetch_add(static_cast<std::int64_t>(batches)); }
  /// A batch that had been read back is finished.
  void finished_outside(std::size_t bytes) noexcept {
    loaded_bytes_.fetch_sub(bytes);
    outside_.fetch_sub(1);
  }
  std::size_t loaded_bytes() const noexcept { return loaded_bytes_.load(); }
  store::overflow* files() const noexcept { return setup_.files.get(); }
  bool durable() const noexcept { return setup_.durable; }

private:
  struct pick {
    shard_id shard = 0;
    std::size_t depth = 0;   ///< place in its queue
    bool over_quota = false; ///< the shard has used up its own
    waiting_batch_ptr batch;
  };

  std::vector<pick> pick_unstored();
  std::vector<pick> pick_victims();
  /// Writes them, with durable ingest forced to the disk; false after an error.
  bool store(const std::vector<pick>& picks, bool leave_pool);
  void look_for_room();
  bool load_what_is_due();
  bool load_one(shard_id shard, const waiting_batch_ptr& batch);
  bool is_unreadable(waiting_batch& batch);
  void note_unread(shard_id shard, const waiting_batch& batch, const error& why, bool lost);
  void settle(const pick& one, bool leave_pool);
  void unpin(const std::vector<pick>& picks, std::size_t from);
  void set_state(overflow_state now, const error* why);
  void show();

  overflow_pump_setup setup_;
  shard_queues& queues_;
  std::uint32_t segments_;
  std::atomic<overflow_state> state_;
  std::atomic<std::size_t> loaded_bytes_{0};
  std::atomic<std::int64_t> outside_{0}; ///< batches that are in files and not in the pool
  std::size_t load_from_ = 0;            ///< the shard whose turn it is to be read back
  bool in_use_ = false;                  ///< it was said that batches wait in files for want of room
};

} // namespace picket
