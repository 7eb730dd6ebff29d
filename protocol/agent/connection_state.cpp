#include "protocol/agent/connection_state.hpp"

#include <algorithm>

namespace picket::protocol {

std::string_view name_of(agent_state state) noexcept {
  switch (state) {
  case agent_state::never_connected:
    return "never_connected";
  case agent_state::pending:
    return "pending";
  case agent_state::active:
    return "active";
  case agent_state::disconnected:
    return "disconnected";
  }
  return "unknown";
}

void connection_state::on_startup(std::int64_t now_ms, version_verdict verdict) noexcept {
  switch (verdict) {
  case version_verdict::too_high:
    code = status_code::invalid_version;
    return;
  case version_verdict::missing:
    code = status_code::version_missing;
    return;
  case version_verdict::accepted:
    break;
  }
  state = agent_state::pending;
  code = status_code::none;
  last_keepalive_ms = now_ms;
  disconnection_ms = 0;
  notice_due = false;
}

void connection_state::on_keepalive(std::int64_t now_ms) noexcept {
  state = agent_state::active;
  code = status_code::none;
  last_keepalive_ms = now_ms;
  disconnection_ms = 0;
  notice_due = false;
}

std::optional<agent_notice> connection_state::on_shutdown(std::int64_t now_ms) noexcept {
  bool was_connected = state == agent_state::pending || state == agent_state::active;
  state = agent_state::disconnected;
  code = status_code::shutdown_received;
  disconnection_ms = now_ms;
  notice_due = false;
  if (!was_connected) return std::nullopt;
  return agent_notice::stopped;
}

void connection_state::on_node_start(std::int64_t now_ms) noexcept {
  if (state == agent_state::never_connected || state == agent_state::disconnected) return;
  state = agent_state::disconnected;
  code = status_code::reset_by_manager;
  disconnection_ms = now_ms;
  notice_due = false;
}

std::optional<agent_notice> connection_state::sweep(std::int64_t now_ms, const connection_limits& limits,
                                                    std::int64_t contact_ms) noexcept {
  bool connected = state == agent_state::pending || state == agent_state::active;
  if (connected && now_ms - std::max(last_keepalive_ms, contact_ms) > limits.disconnection_ms) {
    state = agent_state::disconnected;
    code = status_code::no_keepalive;
    disconnection_ms = now_ms;
    notice_due = true;
  }
  if (notice_due && now_ms - disconnection_ms >= limits.alert_delay_ms) {
    notice_due = false;
    return agent_notice::disconnected;
  }
  return std::nullopt;
}

std::optional<std::int64_t> connection_state::next_sweep_ms(const connection_limits& limits) const noexcept {
  if (notice_due) return disconnection_ms + limits.alert_delay_ms;
  if (state == agent_state::pending || state == agent_state::active)
    return last_keepalive_ms + limits.disconnection_ms + 1;
  return std::nullopt;
}

bool takeover_guard::over_limit(std::int64_t now_ms, const takeover_limits& limits) noexcept {
  if (now_ms < refuse_until_ms_) return true;
  auto wanted = std::min<std::uint32_t>(limits.limit, static_cast<std::uint32_t>(taken_ms_.size()));
  if (wanted == 0 || taken_ < wanted) return false;
  if (now_ms - taken_ms_[wanted - 1] > limits.limit_window_ms) return false;
  refuse_until_ms_ = now_ms + limits.refusal_ms;
  return true;
}

takeover_verdict takeover_guard::refusal(std::int64_t now_ms, bool sure,
                                         const takeover_limits& limits) noexcept {
  if (refusals_ == 0 || now_ms - refusals_since_ms_ > limits.limit_window_ms) {
    refusals_ = 0;
    refusals_since_ms_ = now_ms;
  }
  ++refusals_;
  bool told = told_ms_ && now_ms - *told_ms_ < limits.limit_window_ms;
  if (told || (!sure && refusals_ < limits.clone_refusals)) return takeover_verdict::refuse;
  told_ms_ = now_ms;
  return takeover_verdict::refuse_clone;
}

takeover_verdict takeover_guard::on_startup(counter_pair pair, std::int64_t now_ms, bool other_alive,
                                            std::int64_t other_last_byte_ms,
                                            const takeover_limits& limits) noexcept {
  if (!other_alive) {
    on_record(pair);
    return takeover_verdict::first;
  }
  bool above = pair > highest_;
  bool silent = now_ms - other_last_byte_ms >= limits.silence_ms;
  if (!above && !silent) return refusal(now_ms, false, limits);
  if (over_limit(now_ms, limits)) return refusal(now_ms, true, limits);
  std::copy_backward(taken_ms_.begin(), taken_ms_.end() - 1, taken_ms_.end());
  taken_ms_[0] = now_ms;
  taken_ = std::min<std::uint32_t>(taken_ + 1, static_cast<std::uint32_t>(taken_ms_.size()));
  on_record(pair);
  return takeover_verdict::take_over;
}

} // namespace picket::protocol
