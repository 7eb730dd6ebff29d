#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "actors/registry/answers.hpp"
#include "actors/registry/decide_batch.hpp"
#include "actors/registry/store.hpp"

namespace picket::registry {

inline constexpr std::size_t queue_limit_commands = 2'048;
inline constexpr std::size_t batch_limit_commands = 120;

/// What decisions are made on and where own writes go: the replica, or the tables of a single node.
class decision_ground {
public:
  virtual ~decision_ground() = default;

  using looker = std::function<void(const store::registry_view&, const expected_head&)>;
  /// Calls `look` with the tables and their head at one moment. Errors: io; nothing is called then.
  virtual result<void> look(const looker& look) = 0;
  /// This node's batch was committed on top of `expected`. True: the tables have it now.
  virtual bool take_own(const expected_head& expected, std::uint64_t revision,
                        const store::registry_batch& batch) = 0;
  /// Up to which revision the tables have everything.
  virtual std::uint64_t applied() = 0;
  /// The store refused a head that is its newest by its revision: another history may have taken its place.
  virtual void doubt(const expected_head& expected) = 0;
};

/// Times and limits of a batcher (registry.md 3.1).
struct batcher_options {
  batch_limits limits = shared_limits;
  std::size_t queue_commands = queue_limit_commands;
  std::size_t queue_bytes = 8U << 20U;
  std::int64_t try_limit_ms = 500; ///< of one commit; doubles up to `longest_try_ms` while none succeeds
  std::int64_t longest_try_ms = 4'000;
  std::int64_t replica_wait_ms = 1'000; ///< for the replica to reach a revision
  std::int64_t shortest_pause_ms = 10;  ///< after a try without an answer
  std::int64_t longest_pause_ms = 50;
  std::int64_t repeat_limit_ms = 10 * 60'000; ///< a command made longer ago by the head's time is `too_late`;
                                              ///< 0: never
  bool tries_again = true; ///< false: the store is this node's own disk, what it says is the answer
  std::uint64_t seed = 1;  ///< of the pauses
};

struct commit_request {
  expected_head expected;
  store::registry_batch batch;
  std::int64_t limit_ms = 0;
};

/// Takes commands, decides them in batches, and says what is to be committed: one transaction at a time, the
/// next batch gathers meanwhile. A core that only steps: no thread, no clock, no store of its own. Whoever
/// drives it calls `next`, commits what that gives, calls `finished`, and calls `next` again; also when
/// the replica has moved and at `wake_at_ms`. Times are of one clock that never jumps; `wall_ms` is the
/// machine's. Answers are given from within these calls, each exactly once.
class batcher {
public:
  using answer_call = std::function<void(const propose_answer&)>;
  using outcome_call = std::function<void(const outcome_answer&)>;

  batcher(decision_ground& ground, decide_context context, batcher_options options = {})
      : ground_{ground}
      , context_{std::move(context)}
      , options_{options}
      , random_{options.seed} {}

  void offer(protocol::command command, std::int64_t deadline_ms, std::int64_t now_ms, answer_call answer);

  /// What came of the request, by a fence with the id `fence`: found, or it was not done and never will be.
  /// `made_ms`: when the request was made; one older than the log keeps them is answered `unavailable`.
  void ask_outcome(const protocol::request_id& request, std::int64_t made_ms,
                   const protocol::request_id& fence, std::int64_t deadline_ms, std::int64_t now_ms,
                   outcome_call answer);

  /// What is to be committed now, if anything. Nothing while a commit is out.
  std::optional<commit_request> next(std::int64_t now_ms, std::int64_t wall_ms);
  /// What became of the commit that `next` gave last.
  void finished(const commit_outcome& outcome, std::int64_t now_ms);

  /// Whether the last probe found a quorum. Without one new commands are `unavailable` at once.
  void set_quorum(bool there) noexcept { quorum_ = there; }

  /// When `next` has something to do though nothing happens; far away if never.
  std::int64_t wake_at_ms() const;
  /// Whether the next batch waits for a commit, the replica or the end of a pause.
  bool held_back(std::int64_t now_ms);
  std::size_t waiting() const noexcept { return queue_.size() + out_.size(); }
  bool committing() const noexcept { return request_.has_value(); }
  /// The last failure of the store since it was asked; for the log.
  std::optional<error> take_failure() { return std::exchange(failure_, std::nullopt); }
  /// The batch that was committed last, once; for whoever tells subscribers of a single node.
  std::optional<store::registry_batch> take_committed() { return std::exchange(committed_, std::nullopt); }

private:
  struct waiting_command {
    protocol::command command;
    std::int64_t deadline_ms = 0;
    std::size_t bytes = 0;
    answer_call answer;
    std::optional<std::uint64_t> doubt; ///< a try on this head's revision may still be done
  };
  /// Committed, not in the replica yet.
  struct unseen_answer {
    answer_call answer;
    propose_answer what;
  };

  void expire(std::int64_t now_ms);
  void see(std::int64_t now_ms);
  decided_batch decide_waiting(std::int64_t wall_ms, expected_head& expected);
  void take_decided(std::uint64_t head_revision);
  void refuse_waiting(proposed how);
  void committed(const commit_outcome& outcome, std::int64_t now_ms);
  void conflicted(const commit_outcome& outcome, std::int64_t now_ms);
  void too_large();
  void put_back();
  void fail_out(proposed how);
  void await(std::uint64_t revision, std::int64_t now_ms);
  void ready(waiting_command& one, propose_answer what);
  void fire();

  decision_ground& ground_;
  decide_context context_;
  batcher_options options_;
  std::mt19937_64 random_;
  bool quorum_ = true;
  std::deque<waiting_command> queue_;
  std::size_t queue_bytes_ = 0;
  std::deque<waiting_command> out_; ///< in the commit that is out, as `decided_`
  decided_batch decided_;
  std::optional<commit_request> request_; ///< that is out; kept for when it ends
  std::vector<unseen_answer> unseen_;
  std::uint64_t awaited_ = 0; ///< revision that the replica has to reach first; 0: none
  std::int64_t await_until_ms_ = 0;
  std::int64_t pause_until_ms_ = 0;
  std::int64_t try_ms_ = 0; ///< 0: the first one
  std::size_t singly_ = 0;  ///< so many commands go alone, since their batch was too large
  std::optional<error> failure_;
  std::optional<store::registry_batch> committed_;
  std::vector<unseen_answer> ready_;
};

} // namespace picket::registry
