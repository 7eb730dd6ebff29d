#include "actors/agent_session/session_directory.hpp"

#include <algorithm>

#include "base/time.hpp"

namespace picket {

std::shared_ptr<agent_anchor> session_directory::anchor(agent_id id) {
  auto& stripe = agents_[id % stripes];
  std::lock_guard lock{stripe.mutex};
  auto& slot = stripe.anchors[id];
  if (!slot) {
    slot = std::make_shared<agent_anchor>(id);
    slot->sent = floor_;
  }
  return slot;
}

void session_directory::bind(session_link_ptr link, agent_session_actor session) {
  auto& stripe = tokens_[link->token() % stripes];
  std::lock_guard lock{stripe.mutex};
  auto token = link->token();
  if (stripe.entries.insert_or_assign(token, entry{std::move(link), std::move(session)}).second)
    bound_.fetch_add(1, std::memory_order_relaxed);
}

void session_directory::unbind(const session_link& link) {
  auto& stripe = tokens_[link.token() % stripes];
  std::lock_guard lock{stripe.mutex};
  if (stripe.entries.erase(link.token()) > 0) bound_.fetch_sub(1, std::memory_order_relaxed);
}

std::optional<session_directory::entry> session_directory::by_token(net::connection_token token) const {
  const auto& stripe = tokens_[token % stripes];
  std::lock_guard lock{stripe.mutex};
  auto found = stripe.entries.find(token);
  return found == stripe.entries.end() ? std::nullopt : std::optional{found->second};
}

std::optional<session_directory::entry> session_directory::by_agent(agent_id id) const {
  std::shared_ptr<agent_anchor> anchor;
  {
    const auto& stripe = agents_[id % stripes];
    std::lock_guard lock{stripe.mutex};
    auto found = stripe.anchors.find(id);
    if (found == stripe.anchors.end()) return std::nullopt;
    anchor = found->second;
  }
  session_link_ptr link;
  {
    std::lock_guard lock{anchor->mutex};
    link = anchor->bound.lock();
  }
  if (!link || link->ended()) return std::nullopt;
  return by_token(link->token());
}

agent_contact session_directory::contact(agent_id id) const {
  std::shared_ptr<agent_anchor> anchor;
  {
    const auto& stripe = agents_[id % stripes];
    std::lock_guard lock{stripe.mutex};
    auto found = stripe.anchors.find(id);
    if (found == stripe.anchors.end()) return {};
    anchor = found->second;
  }
  session_link_ptr link;
  {
    std::lock_guard lock{anchor->mutex};
    link = anchor->bound.lock();
  }
  agent_contact now;
  if (link) now = link->contact();
  now.total = anchor->past.read();
  now.total += now.connection;
  now.last_byte_ms = std::max(now.last_byte_ms, anchor->last_byte_ms.load());
  return now;
}

std::int64_t session_directory::contact_ms(agent_id id) const {
  auto found = by_agent(id);
  if (!found) return 0;
  const auto& link = *found->link;
  if (link.waits() || link.paused) return wall_clock_ms();
  return wall_clock_ms() - std::max<std::int64_t>(0, steady_clock_ms() - link.last_byte_ms);
}

std::vector<agent_session_actor>
session_directory::lose_batch(std::uint64_t batch, const std::function<bool(agent_id)>& concerns) {
  std::vector<agent_session_actor> ended;
  for (auto& stripe : tokens_) {
    std::lock_guard lock{stripe.mutex};
    for (auto at = stripe.entries.begin(); at != stripe.entries.end();) {
      auto& link = *at->second.link;
      if (concerns(link.agent())) {
        link.opened_up_to(batch);
        if (!link.waits()) link.waiting_records = 0;
      }
      if (!concerns(link.agent()) || !link.take_end()) {
        ++at;
        continue;
      }
      ended.push_back(std::move(at->second.session));
      at = stripe.entries.erase(at);
      bound_.fetch_sub(1, std::memory_order_relaxed);
    }
  }
  return ended;
}

std::vector<agent_session_actor> session_directory::clear() {
  std::vector<agent_session_actor> left;
  for (auto& stripe : tokens_) {
    std::lock_guard lock{stripe.mutex};
    for (auto& [token, bound] : stripe.entries)
      left.push_back(std::move(bound.session));
    bound_.fetch_sub(stripe.entries.size(), std::memory_order_relaxed);
    stripe.entries.clear();
  }
  return left;
}

void session_directory::forget(agent_id id) {
  auto& stripe = agents_[id % stripes];
  std::lock_guard lock{stripe.mutex};
  stripe.anchors.erase(id);
}

} // namespace picket
