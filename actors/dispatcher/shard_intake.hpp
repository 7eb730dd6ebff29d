#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "actors/agent_session/notice_sink.hpp"
#include "actors/dispatcher/record_return.hpp"
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
};

/// Between the I/O threads and the dispatcher: records gather in one open batch for each shard of the pool,
/// whatever thread brings them, so that an agent that comes back on another thread keeps its order. A batch
/// is closed when it is full or when an executor is ready for it, never by age, so an idle node has batches
/// of one record and no waiting, and a busy one has full batches.
///
/// Bound: the pool. Without room nothing is taken, and whoever waits is woken when a batch has been finished.
class shard_intake final : public record_intake,
                           public work_source,
                           public notice_sink,
                           public record_return {
public:
  /// `announce`: the shard has work now; called once until it has been emptied, without any lock held.
  shard_intake(std::shared_ptr<store::pool> pool, intake_options options,
               std::function<void(shard_id)> announce, std::shared_ptr<const metrics> counts,
               std::shared_ptr<event_log> log);
  ~shard_intake() override;

  /// Batches that an earlier process left: queued and announced. Call once, before anything is taken.
  std::size_t resume();

  shard_id shard_of(agent_id agent) const noexcept { return static_cast<shard_id>(agent % options_.shards); }

  // For the I/O threads.
  bool take(const sealed_record& record) override;
  void when_room(std::function<void()> wake) override;

  // For sessions and the node.
  bool take(agent_id agent, const std::string& location, const std::string& text) override;

  // For operators.
  bool take_again(agent_id agent, record_kind kind, std::string_view bytes) override;

  // For the dispatcher.
  work_ptr take(shard_id shard) override;
  bool finish(const work& done) override;
  std::optional<std::int64_t> oldest_arrival_ms() const override;

  /// From executors: the analysis of the batch came to its end.
  void survived(const work& what);

private:
  struct active_batch {
    store::batch_ref ref;
    store::batch_reader records;
  };
  struct shard_queue {
    mutable std::mutex mutex;
    std::optional<store::batch_writer> open;
    std::deque<store::batch_ref> closed;
    std::optional<active_batch> active;
    bool announced = false;
  };

  bool append(shard_id shard, const store::pool_record& record);
  bool append_locked(shard_queue& queue, shard_id shard, const store::pool_record& record);
  void close_open(shard_queue& queue);
  bool has_more(const shard_queue& queue) const;
  void wake_waiting();
  void show_pool() const;

  std::shared_ptr<store::pool> pool_;
  intake_options options_;
  std::function<void(shard_id)> announce_;
  std::shared_ptr<const metrics> counts_;
  std::shared_ptr<event_log> log_;
  std::vector<std::unique_ptr<shard_queue>> shards_;
  std::atomic<std::int64_t> outstanding_{0}; ///< batches that hold segments
  std::mutex waiting_mutex_;
  std::vector<std::function<void()>> waiting_;
};

} // namespace picket
