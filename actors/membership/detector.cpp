#include "actors/membership/detector.hpp"

#include <algorithm>

namespace picket {

namespace {

constexpr int sends_after_a_gap = 3;
constexpr std::int64_t long_ago_ms = -1'000'000'000;
constexpr std::int64_t between_proposals_ms = 1'000;

} // namespace

std::string_view name_of(change_cause cause) noexcept {
  switch (cause) {
  case change_cause::silent:
    return "silent";
  case change_cause::deaf:
    return "deaf";
  case change_cause::link_lost:
    return "link_lost";
  case change_cause::left:
    return "left";
  case change_cause::restarted:
    return "restarted";
  case change_cause::back:
    return "back";
  }
  return "unknown";
}

// -- small parts --

void detector::recent_least::note(std::int64_t value, std::int64_t now_ms) {
  if (began_ms_ == INT64_MIN || now_ms - began_ms_ >= 2 * window_ms) {
    current_ = before_ = INT64_MAX;
    began_ms_ = now_ms;
  } else if (now_ms - began_ms_ >= window_ms) {
    before_ = current_;
    current_ = INT64_MAX;
    began_ms_ += window_ms;
  }
  current_ = std::min(current_, value);
}

void detector::clock_difference::note(std::int64_t wall_ms, std::int64_t now_ms) {
  differences_[count_ % kept] = wall_ms - now_ms;
  ++count_;
}

std::optional<std::int64_t> detector::clock_difference::ahead_ms(std::int64_t now_ms,
                                                                 std::int64_t wall_ms) const {
  if (count_ == 0) return std::nullopt;
  auto end = differences_.begin() + static_cast<std::ptrdiff_t>(std::min(count_, kept));
  // A heartbeat that took longer looks like a clock that is further behind.
  return *std::max_element(differences_.begin(), end) - (wall_ms - now_ms);
}

// -- what comes in --

detector::detector(std::uint32_t self, std::uint32_t boot, detector_limits limits, std::int64_t now_ms)
    : self_{self}
    , boot_{boot}
    , limits_{limits}
    , view_changed_ms_{now_ms}
    , proposed_ms_{now_ms + long_ago_ms}
    , last_call_ms_{now_ms}
    , woke_ms_{now_ms + long_ago_ms}
    , next_send_ms_{now_ms} {}

void detector::set_members(const std::vector<std::uint32_t>& nodes, std::int64_t now_ms) {
  auto before = up();
  self_is_member_ = false;
  std::map<std::uint32_t, member> kept;
  for (auto node : nodes) {
    if (node == self_) {
      self_is_member_ = true;
      continue;
    }
    auto found = members_.find(node);
    auto& one = kept[node];
    if (found != members_.end()) one = std::move(found->second);
    if (one.wanted == 0) one.wanted = limits_.rejoin_heartbeats;
  }
  members_.swap(kept);
  if (up() == before) return;
  ++view_number_;
  view_changed_ms_ = now_ms;
}

void detector::note_time(std::int64_t now_ms) {
  auto gap_ms = now_ms - last_call_ms_;
  last_call_ms_ = std::max(last_call_ms_, now_ms);
  if (gap_ms < limits_.gap_ms) return;
  // We stood still: what we did not hear meanwhile, nobody may have kept from us.
  for (auto& [node, one] : members_) {
    one.sign_ms = std::min(now_ms, one.sign_ms + gap_ms);
    one.counted_ms = std::min(now_ms, one.counted_ms + gap_ms);
  }
  woke_ms_ = now_ms;
  extra_sends_ = sends_after_a_gap;
  ++gaps_;
  gaps_ms_ += gap_ms;
}

void detector::take(member& of, const protocol::peer::heartbeat& beat, std::int64_t now_ms) {
  bool same_boot = of.heard && of.last.boot == beat.boot;
  if (!same_boot) of.least_difference = {};
  of.least_difference.note(now_ms - beat.steady_ms, now_ms);
  of.delay_ms = now_ms - beat.steady_ms - of.least_difference.least();
  auto sent_ms = now_ms - std::min(of.delay_ms, limits_.delay_credit_ms);
  of.sign_ms = of.heard ? std::max(of.sign_ms, sent_ms) : sent_ms;
  of.clock.note(beat.wall_ms, now_ms);
  of.heard = true;
  of.unlinked = false;
  of.last = beat;
  of.complaint_ms.reset();
  of.complained_at_ms = now_ms;
  for (const auto& one : beat.heard)
    if (one.node == self_) of.complaint_ms = one.silent_ms;
}

detector::changes detector::hear(std::uint32_t node, const protocol::peer::heartbeat& beat,
                                 std::int64_t now_ms) {
  note_time(now_ms);
  changes changed;
  auto found = members_.find(node);
  if (found == members_.end()) {
    ++ignored_;
    return changed;
  }
  auto& one = found->second;
  bool known = one.heard && one.state != node_state::down;
  bool earlier_boot = one.heard && beat.boot < one.last.boot;
  bool seen_number = one.heard && beat.boot == one.last.boot && beat.sequence <= one.last.sequence;
  // An earlier boot of a node that is down can be one whose boot numbers were lost with its disk.
  if (seen_number || (earlier_boot && known)) {
    ++ignored_;
    return changed;
  }
  bool restarted = known && beat.boot != one.last.boot;
  take(one, beat, now_ms);
  if (restarted) change(node, one, node_state::down, change_cause::restarted, now_ms, changed);
  if (one.state == node_state::down) count_return(one, now_ms);
  judge(node, one, now_ms, changed);
  return changed;
}

detector::changes detector::link_lost(std::uint32_t node, std::int64_t now_ms) {
  note_time(now_ms);
  changes changed;
  auto found = members_.find(node);
  if (found == members_.end()) return changed;
  found->second.unlinked = true;
  if (found->second.state == node_state::up)
    change(node, found->second, node_state::suspect, change_cause::link_lost, now_ms, changed);
  return changed;
}

detector::changes detector::leave(std::uint32_t node, std::int64_t now_ms) {
  note_time(now_ms);
  changes changed;
  auto found = members_.find(node);
  if (found == members_.end() || found->second.state == node_state::down) return changed;
  auto& one = found->second;
  auto wanted = one.wanted;
  change(node, one, node_state::down, change_cause::left, now_ms, changed);
  one.wanted = wanted; // it said so: this is no flapping
  return changed;
}

detector::ticked detector::tick(std::int64_t now_ms) {
  note_time(now_ms);
  ticked result;
  for (auto& [node, one] : members_)
    judge(node, one, now_ms, result.changed);
  if (extra_sends_ > 0) {
    --extra_sends_;
    result.send = true;
  }
  if (now_ms >= next_send_ms_) {
    result.send = true;
    next_send_ms_ = std::max(next_send_ms_ + limits_.interval_ms, now_ms + limits_.interval_ms / 2);
  }
  return result;
}

// -- what is made of it --

std::int64_t detector::deaf_for_ms(const member& of) const {
  auto since_we_woke = of.complained_at_ms - woke_ms_;
  return of.complaint_ms ? std::min(*of.complaint_ms, since_we_woke) : since_we_woke;
}

void detector::count_return(member& of, std::int64_t now_ms) {
  bool both_ways = of.complaint_ms && *of.complaint_ms < limits_.suspect_ms;
  if (!both_ways) {
    of.in_sequence = 0;
    return;
  }
  // What was held up somewhere and comes all at once counts as one.
  if (of.in_sequence > 0 && now_ms - of.counted_ms < limits_.interval_ms / 2) return;
  if (now_ms - of.counted_ms > limits_.suspect_ms) of.in_sequence = 0;
  of.counted_ms = now_ms;
  ++of.in_sequence;
}

void detector::judge(std::uint32_t node, member& of, std::int64_t now_ms, changes& into) {
  auto silent_ms = now_ms - of.sign_ms;
  if (of.state == node_state::down) {
    if (of.in_sequence >= of.wanted) change(node, of, node_state::up, change_cause::back, now_ms, into);
    return;
  }
  auto deaf_ms = deaf_for_ms(of);
  if (silent_ms >= limits_.down_ms)
    change(node, of, node_state::down, change_cause::silent, now_ms, into);
  else if (deaf_ms >= limits_.deaf_ms)
    change(node, of, node_state::down, change_cause::deaf, now_ms, into);
  else if (silent_ms >= limits_.suspect_ms)
    change(node, of, node_state::suspect, change_cause::silent, now_ms, into);
  else if (deaf_ms >= limits_.suspect_ms && of.complaint_ms)
    change(node, of, node_state::suspect, change_cause::deaf, now_ms, into);
  else if (!of.unlinked)
    change(node, of, node_state::up, change_cause::back, now_ms, into);
}

void detector::change(std::uint32_t node, member& of, node_state to, change_cause why, std::int64_t now_ms,
                      changes& into) {
  if (of.state == to) return;
  into.push_back({node, of.state, to, why, of.heard ? now_ms - of.sign_ms : -1});
  bool was_there = of.state != node_state::down;
  bool is_there = to != node_state::down;
  of.state = to;
  if (was_there == is_there) return;
  if (is_there)
    of.up_since_ms = now_ms;
  else if (now_ms - of.up_since_ms >= limits_.flap_memory_ms)
    of.wanted = limits_.rejoin_heartbeats;
  else
    of.wanted = std::min(of.wanted * 2, limits_.rejoin_heartbeats_most);
  of.in_sequence = 0;
  ++view_number_;
  view_changed_ms_ = now_ms;
}

// -- what goes out --

protocol::peer::heartbeat detector::make_heartbeat(const own_figures& own, std::int64_t now_ms,
                                                   std::int64_t wall_ms) {
  protocol::peer::heartbeat beat;
  beat.sequence = ++sequence_;
  beat.boot = boot_;
  beat.steady_ms = now_ms;
  beat.wall_ms = wall_ms;
  beat.version = own.version;
  beat.load_permille = own.load_permille;
  beat.free_executors = own.free_executors;
  beat.ready_ingest = own.ready_ingest;
  beat.ready_control = own.ready_control;
  beat.draining = own.draining;
  beat.registry_revision = own.registry_revision;
  beat.view_number = view_number_;
  for (const auto& [node, one] : members_) {
    auto silent_ms = std::max<std::int64_t>(0, now_ms - one.sign_ms);
    if (one.heard && silent_ms < limits_.down_ms)
      beat.heard.push_back({node, static_cast<std::uint32_t>(silent_ms)});
  }
  return beat;
}

std::vector<member_figures> detector::members(std::int64_t now_ms, std::int64_t wall_ms) const {
  std::vector<member_figures> all;
  for (const auto& [node, one] : members_) {
    member_figures figures;
    figures.node = node;
    figures.state = one.state;
    if (one.heard) {
      figures.silent_ms = now_ms - one.sign_ms;
      figures.delay_ms = one.delay_ms;
      figures.clock_ahead_ms = one.clock.ahead_ms(now_ms, wall_ms);
      figures.last = one.last;
    }
    for (const auto& [other, witness] : members_) {
      if (witness.state == node_state::down) continue;
      for (const auto& heard : witness.last.heard)
        if (heard.node == node && heard.silent_ms < limits_.suspect_ms) ++figures.heard_by;
    }
    all.push_back(std::move(figures));
  }
  return all;
}

node_state detector::state_of(std::uint32_t node) const {
  if (node == self_) return self_is_member_ ? node_state::up : node_state::down;
  auto found = members_.find(node);
  return found == members_.end() ? node_state::down : found->second.state;
}

std::vector<std::uint32_t> detector::up() const {
  std::vector<std::uint32_t> ids;
  if (self_is_member_) ids.push_back(self_);
  for (const auto& [node, one] : members_)
    if (one.state != node_state::down) ids.push_back(node);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::optional<std::vector<std::uint32_t>>
detector::view_to_propose(const std::vector<std::uint32_t>& registered, std::int64_t now_ms) {
  auto ours = up();
  if (ours.empty() || ours.front() != self_ || ours == registered) return std::nullopt;
  if (now_ms - view_changed_ms_ < limits_.stable_ms) return std::nullopt;
  if (now_ms - proposed_ms_ < between_proposals_ms) return std::nullopt;
  proposed_ms_ = now_ms;
  return ours;
}

std::int64_t detector::clock_ahead_ms(std::int64_t now_ms, std::int64_t wall_ms) const {
  std::vector<std::int64_t> clocks{0};
  for (const auto& [node, one] : members_) {
    if (one.state == node_state::down) continue;
    if (auto ahead = one.clock.ahead_ms(now_ms, wall_ms)) clocks.push_back(*ahead);
  }
  std::sort(clocks.begin(), clocks.end());
  auto middle = clocks.size() / 2;
  auto median = clocks.size() % 2 == 1 ? clocks[middle] : (clocks[middle - 1] + clocks[middle]) / 2;
  return -median;
}

} // namespace picket
