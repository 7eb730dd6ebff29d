#include "actors/registry/batcher.hpp"

#include <algorithm>
#include <limits>

namespace picket::registry {

namespace {

/// What a waiting command weighs, near enough: its texts, and the rest as a sum.
std::size_t weight_of(const protocol::command& command) { return protocol::encode(command).size() + 128; }

} // namespace

void batcher::offer(protocol::command command, std::int64_t deadline_ms, std::int64_t now_ms,
                    answer_call answer) {
  auto bytes = weight_of(command);
  if (deadline_ms < now_ms) return answer({proposed::too_late, 0, {}});
  if (!quorum_) return answer({proposed::unavailable, 0, {}});
  if (queue_.size() >= options_.queue_commands || queue_bytes_ + bytes > options_.queue_bytes)
    return answer({proposed::busy, 0, {}});
  queue_bytes_ += bytes;
  queue_.push_back({std::move(command), deadline_ms, bytes, std::move(answer), std::nullopt});
}

void batcher::ask_outcome(const protocol::request_id& request, std::int64_t made_ms,
                          const protocol::request_id& fence, std::int64_t deadline_ms, std::int64_t now_ms,
                          outcome_call answer) {
  protocol::command command;
  command.request = fence;
  command.actor = "node";
  command.from = "local";
  command.arguments = protocol::fence{};
  auto limit = options_.repeat_limit_ms;
  offer(std::move(command), deadline_ms, now_ms,
        [this, request, made_ms, limit, answer = std::move(answer)](const propose_answer& fenced) {
          outcome_answer out;
          if (fenced.how != proposed::ok || !fenced.visible) return answer(out);
          auto looked = ground_.look([&](const store::registry_view& view, const expected_head& head) {
            out.revision = head.revision;
            if (auto known = view.outcome(request)) {
              out.status = outcome_status::found;
              out.result = *known;
            } else if (limit == 0 || view.head().time_ms - made_ms <= limit) {
              out.status = outcome_status::not_done;
            }
          });
          if (!looked) failure_ = looked.error();
          answer(out);
        });
}

void batcher::ready(waiting_command& one, propose_answer what) {
  if (one.answer) ready_.push_back({std::exchange(one.answer, nullptr), std::move(what)});
}

void batcher::fire() {
  auto now = std::exchange(ready_, {});
  for (auto& one : now)
    one.answer(one.what);
}

void batcher::expire(std::int64_t now_ms) {
  for (auto& one : out_)
    if (one.deadline_ms < now_ms) ready(one, {proposed::unknown, 0, {}});
  for (auto& one : queue_) {
    if (one.deadline_ms >= now_ms) continue;
    queue_bytes_ -= one.bytes;
    ready(one, {one.doubt ? proposed::unknown : proposed::unavailable, 0, {}});
  }
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), [](const auto& one) { return !one.answer; }),
               queue_.end());
}

/// Gives the answers whose revision the replica has by now, and those that it has not in time.
void batcher::see(std::int64_t now_ms) {
  if (unseen_.empty()) return;
  bool there = ground_.applied() >= awaited_;
  if (!there && now_ms < await_until_ms_) return;
  for (auto& one : unseen_) {
    one.what.visible = there;
    ready_.push_back(std::move(one));
  }
  unseen_.clear();
}

void batcher::await(std::uint64_t revision, std::int64_t now_ms) {
  awaited_ = revision;
  await_until_ms_ = now_ms + options_.replica_wait_ms;
}

bool batcher::held_back(std::int64_t now_ms) {
  if (request_ || now_ms < pause_until_ms_) return true;
  if (awaited_ == 0) return false;
  if (ground_.applied() < awaited_ && now_ms < await_until_ms_) return true;
  awaited_ = 0;
  return false;
}

decided_batch batcher::decide_waiting(std::int64_t wall_ms, expected_head& expected) {
  decided_batch decided;
  auto most = singly_ > 0 ? 1 : batch_limit_commands;
  auto looked = ground_.look([&](const store::registry_view& view, const expected_head& head) {
    expected = head;
    auto head_ms = view.head().time_ms;
    std::vector<const protocol::command*> commands;
    for (auto& one : queue_) {
      if (commands.size() >= most) break;
      bool old = options_.repeat_limit_ms != 0 && one.command.made_ms != 0
                 && head_ms - one.command.made_ms > options_.repeat_limit_ms;
      if (old && !view.outcome(one.command.request)) {
        ready(one, {proposed::too_late, 0, {}});
        queue_bytes_ -= one.bytes;
        continue;
      }
      commands.push_back(&one.command);
    }
    decided = decide_batch(view, commands, context_, wall_ms, options_.limits);
  });
  queue_.erase(std::remove_if(queue_.begin(), queue_.end(), [](const auto& one) { return !one.answer; }),
               queue_.end());
  if (looked) return decided;
  failure_ = looked.error();
  refuse_waiting(proposed::unavailable);
  return {};
}

void batcher::refuse_waiting(proposed how) {
  for (auto& one : queue_)
    ready(one, {one.doubt ? proposed::unknown : how, 0, {}});
  queue_.clear();
  queue_bytes_ = 0;
}

/// The commands that were decided leave the queue.
void batcher::take_decided(std::uint64_t head_revision) {
  for (const auto& fate : decided_.commands) {
    auto& one = queue_.front();
    queue_bytes_ -= one.bytes;
    // The head has moved on since, and the command is not there: that try is dead for ever.
    if (one.doubt && !fate.stored && head_revision > *one.doubt) one.doubt.reset();
    out_.push_back(std::move(one));
    queue_.pop_front();
  }
}

std::optional<commit_request> batcher::next(std::int64_t now_ms, std::int64_t wall_ms) {
  std::optional<commit_request> given;
  expire(now_ms);
  see(now_ms);
  while (!held_back(now_ms) && !queue_.empty() && !request_) {
    expected_head expected;
    decided_ = decide_waiting(wall_ms, expected);
    if (decided_.log_full) refuse_waiting(proposed::busy);
    take_decided(expected.revision);
    if (decided_.changes_anything) {
      if (try_ms_ == 0) try_ms_ = options_.try_limit_ms;
      request_ = commit_request{std::move(expected), std::move(decided_.batch), try_ms_};
      given = request_;
    } else {
      for (std::size_t i = 0; i < out_.size(); ++i) {
        const auto& fate = decided_.commands[i];
        ready(out_[i],
              {fate.result.done() ? proposed::ok : proposed::refused, expected.revision, fate.result, true});
      }
      out_.clear();
    }
  }
  fire();
  return given;
}

void batcher::committed(const commit_outcome& outcome, std::int64_t now_ms) {
  try_ms_ = 0;
  if (singly_ > 0) --singly_;
  bool visible = ground_.take_own(request_->expected, outcome.revision, request_->batch);
  if (!visible) await(outcome.revision, now_ms);
  for (std::size_t i = 0; i < out_.size(); ++i) {
    auto& one = out_[i];
    const auto& fate = decided_.commands[i];
    propose_answer what{fate.result.done() ? proposed::ok : proposed::refused, outcome.revision, fate.result,
                        fate.repeated};
    if (visible || fate.stored)
      ready(one, std::move(what));
    else if (one.answer)
      unseen_.push_back({std::exchange(one.answer, nullptr), std::move(what)});
  }
  out_.clear();
  committed_ = std::move(request_->batch);
}

/// Back to the front of the queue, in their order; without those that were answered meanwhile.
void batcher::put_back() {
  for (auto one = out_.rbegin(); one != out_.rend(); ++one) {
    if (!one->answer) continue;
    queue_bytes_ += one->bytes;
    queue_.push_front(std::move(*one));
  }
  out_.clear();
}

void batcher::fail_out(proposed how) {
  for (std::size_t i = 0; i < out_.size(); ++i) {
    const auto& fate = decided_.commands[i];
    if (fate.stored)
      ready(out_[i], {fate.result.done() ? proposed::ok : proposed::refused, request_->expected.revision,
                      fate.result, true});
    else
      ready(out_[i], {out_[i].doubt ? proposed::unknown : how, 0, {}});
  }
  out_.clear();
}

void batcher::conflicted(const commit_outcome& outcome, std::int64_t now_ms) {
  try_ms_ = 0;
  bool newer = outcome.revision > request_->expected.revision;
  put_back();
  if (newer) return await(outcome.revision, now_ms);
  ground_.doubt(request_->expected);
  pause_until_ms_ = now_ms + options_.longest_pause_ms;
}

void batcher::too_large() {
  if (out_.size() > 1) {
    singly_ = out_.size();
    return put_back();
  }
  protocol::command_result result;
  result.code = static_cast<std::uint16_t>(errc::limit_reached);
  result.text = "the change is larger than the store takes in one transaction";
  for (auto& one : out_)
    ready(one, {one.doubt ? proposed::unknown : proposed::refused, 0, result});
  out_.clear();
  if (singly_ > 0) --singly_;
}

void batcher::finished(const commit_outcome& outcome, std::int64_t now_ms) {
  if (!request_) return;
  bool fine = outcome.status == commit_status::committed || outcome.status == commit_status::conflict;
  if (!fine) failure_ = outcome.why;
  switch (outcome.status) {
  case commit_status::committed:
    committed(outcome, now_ms);
    break;
  case commit_status::conflict:
    conflicted(outcome, now_ms);
    break;
  case commit_status::too_large:
    too_large();
    break;
  case commit_status::no_space:
  case commit_status::wrong_cluster:
    fail_out(proposed::unavailable);
    break;
  case commit_status::unknown:
  case commit_status::unavailable: {
    bool maybe = outcome.status == commit_status::unknown;
    if (!options_.tries_again) {
      fail_out(maybe ? proposed::unknown : proposed::unavailable);
      break;
    }
    if (maybe)
      for (auto& one : out_)
        one.doubt = request_->expected.revision;
    put_back();
    try_ms_ = std::min(try_ms_ * 2, options_.longest_try_ms);
    auto span = options_.longest_pause_ms - options_.shortest_pause_ms + 1;
    pause_until_ms_ = now_ms + options_.shortest_pause_ms
                      + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(span));
    break;
  }
  }
  request_.reset();
  expire(now_ms);
  fire();
}

std::int64_t batcher::wake_at_ms() const {
  auto at = std::numeric_limits<std::int64_t>::max();
  for (const auto& one : queue_)
    at = std::min(at, one.deadline_ms + 1);
  for (const auto& one : out_)
    if (one.answer) at = std::min(at, one.deadline_ms + 1);
  if (!unseen_.empty()) at = std::min(at, await_until_ms_);
  if (!queue_.empty() && !request_)
    at = std::min(at, std::max(pause_until_ms_, awaited_ != 0 ? await_until_ms_ : 0));
  return at;
}

} // namespace picket::registry
