#include "protocol/agent/counters.hpp"

#include <algorithm>

namespace picket::protocol {

namespace {

/// Neighbouring pairs as neighbouring numbers; local has four digits on the wire.
std::uint64_t position_of(counter_pair pair) noexcept {
  return std::uint64_t{pair.global} * 10'000 + pair.local;
}

} // namespace

counter_pair next_agent_pair(counter_pair last) noexcept {
  if (last.local >= last_local_count) {
    ++last.global;
    last.local = 0;
  }
  ++last.local;
  return last;
}

server_counter::server_counter(std::int64_t now_unix_s, counter_pair floor) noexcept {
  auto now = static_cast<std::uint32_t>(std::clamp<std::int64_t>(now_unix_s, 0, INT32_MAX));
  last_ = std::max(counter_pair{now + lead_s, 0}, floor);
}

counter_pair server_counter::next(std::int64_t now_unix_s) noexcept {
  auto now = static_cast<std::uint32_t>(std::clamp<std::int64_t>(now_unix_s, 0, INT32_MAX));
  last_ = now > last_.global ? counter_pair{now, 1} : next_agent_pair(last_);
  return last_;
}

receive_window::verdict receive_window::take(counter_pair pair) noexcept {
  auto at = position_of(pair);
  auto top = position_of(highest_);
  if (pair > highest_ || seen_ == 0) {
    auto step = at > top ? at - top : 0;
    seen_ = step >= width_pairs ? 0 : seen_ << step;
    seen_ |= 1;
    highest_ = pair;
    return verdict::fresh;
  }
  auto below = top > at ? top - at : 0;
  if (below >= width_pairs) return verdict::too_old;
  auto bit = std::uint64_t{1} << below;
  if ((seen_ & bit) != 0) return verdict::repeated;
  seen_ |= bit;
  return verdict::fresh;
}

} // namespace picket::protocol
