#include "actors/agent_session/agent_session.hpp"

#include <caf/send.hpp>

#include "base/time.hpp"

namespace picket {

namespace {

constexpr std::size_t max_waiting_notices = 16;

class link_channel final : public agent_channel {
public:
  explicit link_channel(session_link_ptr link)
      : link_{std::move(link)} {}
  bool send(std::string_view message) override { return link_->send(message); }
  bool superseded() const override { return link_->superseded(); }
  bool needs_heartbeat(std::int64_t now_ms, std::int64_t waiting_ms) const override {
    if (link_->paused) return true;
    return link_->waits() && now_ms - link_->waiting_since_ms >= waiting_ms;
  }

private:
  session_link_ptr link_;
};

/// The location of a notice without the agent's tag: what stands behind `->`.
std::string bare_location(const std::string& location) {
  auto arrow = location.find("->");
  return arrow == std::string::npos ? location : location.substr(arrow + 2);
}

} // namespace

std::shared_ptr<agent_channel> make_channel(session_link_ptr link) {
  return std::make_shared<link_channel>(std::move(link));
}

void agent_session_state::acknowledge() {
  if (setup.channel->superseded()) return;
  if (setup.channel->send(protocol::ack_message))
    setup.counts->session_acks_total.add();
  else
    setup.counts->session_dropped_messages_total.add();
}

void agent_session_state::control(const control_batch::message& message) {
  const auto& counts = setup.counts->session_control_messages_total;
  auto parsed = protocol::classify_control(message.text);
  switch (parsed.kind) {
  case protocol::control_kind::startup:
    // A start-up on a connection that is bound already; the I/O side has answered the first one.
    counts.add_for("startup");
    acknowledge();
    break;
  case protocol::control_kind::keepalive:
    counts.add_for("keepalive");
    keepalive(parsed.body, message.arrival_ms);
    break;
  case protocol::control_kind::shutdown:
    counts.add_for("shutdown");
    shutdown(message.arrival_ms);
    break;
  case protocol::control_kind::request_answer:
    counts.add_for("request");
    setup.log->write(log_event::unexpected_answer, {{"agent", to_text(setup.agent)}});
    break;
  case protocol::control_kind::malformed:
    counts.add_for("unknown");
    setup.log->write(log_event::unknown_control,
                     {{"agent", to_text(setup.agent)}, {"text", message.text.substr(0, 200)}});
    break;
  }
}

void agent_session_state::keepalive(std::string_view body, std::int64_t arrival_ms) {
  // The answer first: an agent that waits for it must not wait for anything else of ours.
  acknowledge();
  auto parsed = protocol::parse_keepalive(protocol::with_valid_utf8(body));
  setup.statuses->update(setup.agent, [&](agent_status& status) {
    status.registration = setup.registration;
    status.connection.on_keepalive(arrival_ms);
    status.last_keepalive = std::move(parsed);
  });
}

void agent_session_state::shutdown(std::int64_t arrival_ms) {
  std::optional<protocol::agent_notice> notice;
  setup.statuses->update(setup.agent, [&](agent_status& status) {
    status.registration = setup.registration;
    notice = status.connection.on_shutdown(arrival_ms);
  });
  if (notice) hand_in(*notice);
}

void agent_session_state::hand_in(protocol::agent_notice notice) {
  auto event = protocol::format_notice(notice, to_text(setup.agent), setup.name, setup.registered_address);
  event.location = bare_location(event.location);
  if (setup.notices->take(setup.agent, event.location, event.text)) return;
  if (waiting_notices.size() < max_waiting_notices)
    waiting_notices.push_back(std::move(event));
  else
    setup.counts->session_dropped_notices_total.add();
}

void agent_session_state::tick(std::int64_t now_ms) {
  while (!waiting_notices.empty()
         && setup.notices->take(setup.agent, waiting_notices.front().location, waiting_notices.front().text))
    waiting_notices.erase(waiting_notices.begin());
  if (!closed && setup.channel->needs_heartbeat(now_ms, setup.heartbeat_ms)) acknowledge();
}

agent_session_actor::behavior_type
agent_session(agent_session_actor::stateful_pointer<agent_session_state> self, session_setup setup) {
  self->state.setup = std::move(setup);
  self->delayed_send(self, std::chrono::milliseconds{self->state.setup.heartbeat_ms}, tick_atom_v);
  return {
      [self](control_atom, const control_batch_ptr& batch) {
        for (const auto& message : batch->messages)
          self->state.control(message);
      },
      [self](to_agent_atom, const std::string& message) {
        return !self->state.setup.channel->superseded() && self->state.setup.channel->send(message);
      },
      [self](closed_atom) {
        self->state.closed = true;
        self->state.tick(steady_clock_ms());
        if (self->state.waiting_notices.empty()) self->quit();
      },
      [self](tick_atom) {
        self->state.tick(steady_clock_ms());
        if (self->state.closed && self->state.waiting_notices.empty()) return self->quit();
        self->delayed_send(self, std::chrono::milliseconds{self->state.setup.heartbeat_ms}, tick_atom_v);
      },
  };
}

} // namespace picket
