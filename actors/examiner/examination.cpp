#include "actors/examiner/examination.hpp"

#include <algorithm>

#include "actors/examiner/child_process.hpp"
#include "base/time.hpp"

namespace picket {

using namespace protocol::examination;

bool examination::take(const step& what) {
  switch (what.kind) {
  case step_kind::ready:
    ready_ = true;
    return true;
  case step_kind::begun:
    // A worker that was killed from outside is followed by one that begins with the same record.
    if (what.record == next_ && next_ < records_)
      ++next_;
    else if (!begun_ || what.record + 1 != next_)
      return false;
    begun_ = true;
    return true;
  case step_kind::opened:
    if (!begun_ || what.record + 1 != next_) return false;
    findings_.messages[what.record] = what.text;
    return true;
  case step_kind::died:
    // A worker may die before it has said what it begins.
    if (what.record == next_ && next_ < records_) ++next_;
    if (what.record + 1 != next_) return false;
    findings_.fatal[what.record] = what.text;
    begun_ = false;
    return true;
  case step_kind::finished:
    findings_.complete = next_ == records_;
    return findings_.complete;
  case step_kind::failed:
    give_up(what.text);
    return true;
  }
  return false;
}

void examination::child_ended(const std::string& how) {
  if (over()) return;
  if (!ready_) return give_up("a child ended before it had loaded the rule set: " + how);
  auto record = begun_ ? next_ - 1 : next_;
  begun_ = false;
  ready_ = false;
  if (record < records_) {
    bool again = begun_twice_ != record;
    begun_twice_ = record;
    next_ = again ? record : record + 1;
    if (!again) findings_.fatal[record] = how;
  }
  findings_.complete = next_ == records_;
}

void examination::give_up(const std::string& why) {
  if (!over()) findings_.problem = why.empty() ? "no reason given" : why;
}

namespace {

/// Reads what one child says, until it is through, ends or has to be ended.
void follow(child_process& child, const std::string& frame, examination& progress,
            const examination_limits& limits, std::int64_t until_ms) {
  frame_cutter frames{max_step_bytes};
  std::string_view unsent = frame;
  auto silent_since_ms = steady_clock_ms();
  while (!progress.over()) {
    auto now_ms = steady_clock_ms();
    auto patience_ms = progress.ready() ? limits.silence_ms : limits.start_ms;
    auto deadline_ms = std::min(silent_since_ms + patience_ms, until_ms);
    if (now_ms >= until_ms) return progress.give_up("the time for one batch is over");
    if (now_ms >= deadline_ms)
      return progress.child_ended("no progress for " + std::to_string(patience_ms / 1000) + " s");
    auto got = child.exchange(unsent, deadline_ms - now_ms);
    if (got.ended) return progress.child_ended(child.end());
    if (got.bytes.empty()) continue;
    silent_since_ms = steady_clock_ms();
    frames.feed(got.bytes);
    for (auto body = frames.next(); !body || !body->empty(); body = frames.next()) {
      auto what = body ? decode_step(*body) : result<step>{tl::unexpected<error>(body.error())};
      if (!what || !progress.take(*what)) return progress.child_ended("it spoiled what it had to say");
    }
  }
}

} // namespace

examination_findings examine(request what, const std::vector<std::string>& command,
                             const examination_limits& limits) {
  examination progress{what.records.size()};
  auto until_ms = steady_clock_ms() + limits.total_ms;
  while (!progress.over()) {
    if (progress.findings().children >= limits.children) {
      progress.give_up("too many children ended");
      break;
    }
    ++progress.findings().children;
    auto child = child_process::start(command);
    if (!child) {
      progress.give_up(to_string(child.error()));
      break;
    }
    what.first = progress.next();
    follow(**child, encode(what), progress, limits, until_ms);
  }
  return std::move(progress.findings());
}

} // namespace picket
