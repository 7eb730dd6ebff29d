#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "actors/agent_session/notice_sink.hpp"
#include "actors/dispatcher/fair_turns.hpp"
#include "actors/dispatcher/overflow_pump.hpp"
#include "actors/dispatcher/record_return.hpp"
#include "actors/dispatcher/shard_queue.hpp"
#include "actors/dispatcher/work_source.hpp"
#include "actors/listener/record_intake.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "store/pool/pool.hpp"

namespace picket {

struct intake_options {
  std::size_t shards = 64;
  std::size_t batch_records = 256;
  std::size_t batch_bytes = 256 * 1024;
  bool durable = false;                      ///< a batch runs only when it is on the disk
  std::int64_t unreadable_after_ms = 60'000; ///< see overflow_pump_setup
};

/// How the intake reaches the others; all are called without any lock held, on any thread.
struct intake_links {
  /// The shard has work now; called once until it has been emptied.
  std::function<void(shard_id)> announce;
  /// There is work for the overflow's thread, which calls `serve_overflow`.
  std::function<void()> ask_overflow;
  /// A batch will never be opened, with records of the shard's agents: it could not be read back, or was set
  /// aside as a whole.
  std::function<void(shard_id, std::uint64_t sequence)> lost = {};
};

/// Between the I/O threads and the dispatcher: records gather in one open batch for each shard of the pool,
/// whatever thread brings them, so that an agent that comes back on another thread keeps its order. A batch
/// is closed when it is full or when an executor is ready for it, never by age, so an idle node has batches
/// of one record and no waiting, and a busy one has full batches.
///
/// Bound: the pool, and behind it the overflow files. When neither has room, connections first get turns and
/// then wait; whoever waits is woken when batches have been finished or stored.
class shard_intake final : public record_intake,
                           public work_source,
                           public notice_sink,
                           public record_return {
public:
  /// `files` null: no overflow.
  shard_intake(std::shared_ptr<store::pool> pool, std::shared_ptr<store::overflow> files,
               intake_options options, intake_links links, std::shared_ptr<const metrics> counts,
               std::shared_ptr<event_log> log);
  ~shard_intake() override;

  /// Batches that an earlier process left in the pool and in overflow files: queued in their order and
  /// announced. Call once, before anything is taken.
  std::size_t resume();

  shard_id shard_of(agent_id agent) const noexcept { return static_cast<shard_id>(agent % options_.shards); }

  // For the I/O threads.
  intake_answer take(const sealed_record& record, connection_turn& turn) override;
  void when_room(std::shared_ptr<connection_turn> turn, std::function<void()> wake) override;
  bool forget(const std::shared_ptr<connection_turn>& turn) override;
  pressure pressure_now() const noexcept;

  // For sessions and the node.
  bool take(agent_id agent, const std::string& location, const std::string& text) override;

  // For the overflow's thread. True: there is more to do at once.
  bool serve_overflow();
  /// Once a second: gives turns while room is scarce; with durable ingest closes what is open.
  void tick();
  // For operators.
  bool take_again(agent_id agent, record_kind kind, std::string_view bytes) override;

  // For the dispatcher.
  work_ptr take(shard_id shard) override;
  bool finish(const work& done) override;
  void count_attempts(const work& what, std::uint32_t attempts) override;
  std::optional<std::int64_t> oldest_arrival_ms() const override;
  /// Bytes of batches that were read back and are not finished.
  std::size_t loaded_bytes() const noexcept { return pump_->loaded_bytes(); }
  overflow_state overflow_now() const noexcept { return pump_->state(); }

  /// From executors: the analysis of the batch came to its end.
  void survived(const work& what);

private:
  /// `batch`: becomes the sequence of the batch that has the record.
  bool append(shard_id shard, const store::pool_record& record, std::uint64_t* batch = nullptr);
  bool append_locked(shard_queue& queue, shard_id shard, const store::pool_record& record,
                     std::uint64_t* batch);
  void close_open(shard_queue& queue);
  void queue_found(const store::batch_ref& ref, const store::stored_ref* stored, bool in_pool);
  /// The batch will not be opened; everything in front of it has been.
  void step_over(shard_id shard, const batch_id& batch);
  work_ptr hand_out(shard_queue& queue, shard_id shard);
  void ask_overflow();
  /// Wakes whoever may read now; `freed_bytes` were given back, or a second has passed.
  void grant(std::size_t freed_bytes);
  void show_pool() const;

  std::shared_ptr<store::pool> pool_;
  intake_options options_;
  intake_links links_;
  std::shared_ptr<const metrics> counts_;
  std::shared_ptr<event_log> log_;
  shard_queues shards_;
  std::unique_ptr<overflow_pump> pump_;
  std::uint32_t segments_;
  std::atomic<bool> asked_{false};
  std::atomic<std::int64_t> outstanding_{0}; ///< batches that are not finished
  std::mutex turns_mutex_;
  fair_turns turns_;
};

} // namespace picket
