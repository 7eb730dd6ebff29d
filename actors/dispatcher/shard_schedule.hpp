#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "base/ids.hpp"

namespace picket {

/// Which shard runs next on which executor: pure bookkeeping. A shard is idle, ready, running or held; a
/// ready one waits in the order in which it became ready; a running one runs on exactly one executor; a held
/// one has a batch that is not finished and runs nowhere.
class shard_schedule {
public:
  shard_schedule(std::size_t shards, std::size_t executors);

  /// The shard has work. No effect on one that is ready; one that is running or held becomes ready when it is
  /// done.
  void announce(shard_id shard);

  struct assignment {
    shard_id shard = 0;
    std::size_t executor = 0;
  };
  /// The longest-waiting shard and a free executor; both are running then. Nothing: no shard is ready or none
  /// is free.
  std::optional<assignment> next();
  /// The same with this shard; nothing if it is not ready or no executor is free.
  std::optional<assignment> next_of(shard_id shard);

  /// The shard's batch is done; its executor, if it has one, is free. `more`: it is ready again, behind those
  /// that wait.
  void finish(shard_id shard, bool more);
  /// The executor ended with this shard: the shard waits in front; the executor's place is free for a new
  /// one.
  void requeue(shard_id shard);
  /// The running shard's executor is free; the shard is not ready before `release`, whoever announces it.
  void hold(shard_id shard);
  /// What the shard was held for is over: it is ready, behind those that wait.
  void release(shard_id shard);

  std::size_t executor_of(shard_id shard) const { return shards_[shard].executor; }
  bool running(shard_id shard) const { return shards_[shard].state == state::running; }
  bool waits(shard_id shard) const { return shards_[shard].state == state::ready; }
  std::size_t ready() const noexcept { return ready_.size(); }
  std::size_t busy() const noexcept { return executors_ - free_.size(); }
  bool idle() const noexcept { return ready_.empty() && busy() == 0; }
  std::size_t executors() const noexcept { return executors_; }

private:
  enum class state { idle, ready, running, held };
  struct slot {
    enum state state = state::idle;
    std::size_t executor = 0;
    bool announced_again = false;
  };
  std::vector<slot> shards_;
  std::deque<shard_id> ready_;
  std::vector<std::size_t> free_;
  std::size_t executors_;
};

} // namespace picket
