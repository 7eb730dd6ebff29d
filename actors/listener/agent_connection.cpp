#include "actors/listener/agent_connection.hpp"

#include <caf/send.hpp>

#include "base/time.hpp"
#include "protocol/agent/frame.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket {

namespace {

constexpr std::int64_t long_pause_ms = 5'000;
/// After a pause of this length agents lose lines, or leave (agent-behaviour.md B5, section 2).
constexpr std::int64_t loss_after_ms = 30'000;

/// One scratch for each I/O thread: connections of a thread open records one after the other.
protocol::open_scratch& thread_scratch() {
  thread_local protocol::open_scratch scratch;
  return scratch;
}

void send_frame(net::connection& to, std::string_view record) {
  byte_buffer frame;
  protocol::append_frame(frame, as_bytes(record));
  to.send(frame);
}

} // namespace

std::shared_ptr<agent_connection> make_agent_connection(const std::shared_ptr<const port_context>& context,
                                                        net::connection& fresh) {
  const auto& from = fresh.peer().address;
  bool displaced = false;
  auto place = context->unverified->enter(net::limit_key(from), net::closer(fresh), displaced);
  if (displaced) context->refusals->note(net::refusal::unverified, from, fresh.thread().now_ms());
  fresh.set_deadline(context->limits.first_record_ms);
  return std::make_shared<agent_connection>(context, place);
}

agent_connection::agent_connection(std::shared_ptr<const port_context> context,
                                   unverified_connections::ticket place)
    : context_{std::move(context)}
    , unverified_{place} {}

agent_connection::~agent_connection() = default;

std::size_t agent_connection::on_data(net::connection& from, byte_view bytes) {
  if (link_) link_->last_byte_ms = from.thread().now_ms();
  std::size_t used = 0;
  while (from.is_open() && !from.paused()) {
    auto cut = protocol::cut_frame(bytes.subspan(used));
    if (cut.status == protocol::frame_status::incomplete) break;
    if (cut.status != protocol::frame_status::complete) {
      refuse(from, "bad_frame", id_text_);
      return used;
    }
    auto outcome = take_record(from, cut.record);
    if (outcome == step::wait) return used;
    used += cut.consumed;
    if (outcome == step::closed) return used;
    count_taken();
  }
  if (from.is_open()) watch_partial(from, used < bytes.size() && !from.paused(), used > 0);
  if (unverified_ != 0 && from.is_open() && !context_->unverified->holds(unverified_, bytes.size() - used)) {
    context_->refusals->note(net::refusal::unverified, from.peer().address, from.thread().now_ms());
    from.close();
  }
  return used;
}

void agent_connection::watch_partial(net::connection& from, bool partial, bool progress) {
  if (!link_ || link_->superseded()) return; // before it is bound a limit for the whole connection runs
  // Each frame has its own time: behind a completed one the limit begins anew.
  if (partial && (progress || !partial_)) from.set_deadline(context_->limits.whole_frame_ms);
  if (!partial && partial_) from.set_deadline(0);
  partial_ = partial;
}

agent_connection::step agent_connection::take_record(net::connection& from, byte_view record) {
  if (protocol::is_ping(record)) {
    if (!link_ && ++pings_ > unbound_pings_max) return refuse(from, "bad_frame", id_text_);
    context_->counts->ingest_pings_total.add();
    send_frame(from, protocol::pong_record);
    return step::next;
  }
  return link_ ? take_bound(from, record) : take_unproven(from, record);
}

agent_connection::step agent_connection::refuse(net::connection& from, std::string_view reason,
                                                const std::string& agent) {
  context_->counts->ingest_bad_records_total.add_for(reason);
  context_->log->write(log_event::record_refused,
                       {{"reason", reason}, {"agent", agent}, {"peer", net::to_string(from.peer())}});
  context_->addresses->on_failure(from.peer().address, from.thread().now_ms());
  from.close();
  return step::closed;
}

std::optional<agent_id> agent_connection::identify(net::connection& from, const protocol::record_head& head) {
  auto peer = net::to_string(from.peer().address);
  if (!head.id) {
    auto view = context_->tables->read();
    return view ? view->agent_by_address(protocol::address_key(peer)) : std::nullopt;
  }
  auto id = protocol::agent_id_of(*head.id);
  if (!id || !load_key(*id)) return std::nullopt;
  if (!protocol::address_contains(row_.address, peer)) return std::nullopt;
  return id;
}

bool agent_connection::load_key(agent_id id) {
  auto view = context_->tables->read();
  auto row = view ? view->agent(id) : std::nullopt;
  if (!row) return false;
  id_text_ = to_text(id);
  opener_.emplace(protocol::derive_record_key(id_text_, row->name, row->key));
  row_ = std::move(*row);
  return true;
}

agent_connection::step agent_connection::take_unproven(net::connection& from, byte_view record) {
  auto head = protocol::parse_record_head(record);
  if (!head) return refuse(from, protocol::name_of(head.error()), {});
  auto id = identify(from, *head);
  if (!id || (!head->id && !load_key(*id)))
    return refuse(from, "unknown_agent", head->id ? std::string{*head->id} : std::string{});
  auto opened = opener_->open(head->cipher, head->ciphertext, thread_scratch());
  if (!opened) return refuse(from, protocol::name_of(opened.error()), id_text_);
  // What was refused may only try again; its events are not believed to be the agent's.
  if (refusals_ > 0 && protocol::classify_control(opened->message).kind != protocol::control_kind::startup) {
    context_->counts->ingest_bad_records_total.add_for("refused");
    return step::next;
  }
  // An event stays sealed and is checked where it is opened for good.
  if (context_->check_counters && protocol::is_control(opened->message)
      && !context_->sessions->anchor(*id)->is_fresh(row_.registration, opened->counters))
    return refuse(from, "repeated", id_text_);
  bool first = agent_ == 0;
  agent_ = *id;
  cipher_ = head->cipher;
  if (first) proven(from);
  if (protocol::is_control(opened->message)) return take_control(from, *opened);
  // An event may come before the start-up of a new connection.
  return hand_on(from, record, agent_);
}

void agent_connection::proven(net::connection& from) {
  if (row_.state == protocol::confirmation::unconfirmed) context_->proven(agent_);
  // Until it is bound: a proven event alone must not hold a connection for ever.
  from.set_deadline(context_->limits.first_record_ms);
}

void agent_connection::watch_idle(net::connection& from, std::int64_t after_ms) {
  if (context_->limits.idle_ms <= 0) return;
  idle_ = from.thread().after(after_ms, [this, &from] {
    idle_ = 0;
    // Silence while we do not read is ours, not the agent's.
    auto silent_ms = from.paused() ? 0 : from.thread().now_ms() - from.last_byte_ms();
    if (silent_ms >= context_->limits.idle_ms) return from.close(net::close_reason::deadline);
    watch_idle(from, context_->limits.idle_ms - silent_ms);
  });
}

agent_connection::step agent_connection::take_control(net::connection& from,
                                                      const protocol::opened_record& opened) {
  auto control = protocol::classify_control(opened.message);
  if (control.kind == protocol::control_kind::startup) return take_startup(from, control.body, opened);
  if (!bind(from, opened.counters)) return step::next;
  auto batch = std::make_shared<control_batch>();
  batch->messages.push_back({std::string{opened.message}, from.thread().wall_ms()});
  caf::anon_send(session_, control_atom_v, control_batch_ptr{std::move(batch)});
  return step::next;
}

agent_connection::step agent_connection::take_startup(net::connection& from, std::string_view body,
                                                      const protocol::opened_record& opened) {
  context_->counts->session_control_messages_total.add_for("startup");
  auto verdict = protocol::check_startup(body, context_->versions);
  auto now_ms = from.thread().wall_ms();
  if (verdict != protocol::version_verdict::accepted) {
    context_->statuses->update(agent_, [&](agent_status& status) {
      status.registration = row_.registration;
      status.connection.on_startup(now_ms, verdict);
    });
    context_->counts->session_startups_total.add_for("refused_version");
    answer_err(from,
               verdict == protocol::version_verdict::too_high ? protocol::version_too_high_text
                                                              : protocol::version_missing_text,
               "version");
    return step::next;
  }
  if (!bind(from, opened.counters)) return step::next;
  // Nothing but the answer first (agent-behaviour.md W3): the session has just been made and is silent.
  if (link_->send(protocol::ack_message)) context_->counts->session_acks_total.add();
  context_->statuses->update(agent_, [&](agent_status& status) {
    status.registration = row_.registration;
    status.connection.on_startup(now_ms, verdict);
  });
  context_->counts->session_startups_total.add_for("accepted");
  context_->log->write(log_event::agent_connected,
                       {{"agent", id_text_}, {"name", row_.name}, {"peer", net::to_string(from.peer())}});
  return step::next;
}

void agent_connection::answer_err(net::connection& from, std::string_view text, std::string_view reason) {
  protocol::record_sealer sealer{protocol::derive_record_key(id_text_, row_.name, row_.key)};
  protocol::seal_scratch scratch{1};
  protocol::seal_options options;
  options.cipher = cipher_;
  auto anchor = context_->sessions->anchor(agent_);
  {
    std::lock_guard lock{anchor->mutex};
    protocol::server_counter counter{from.thread().wall_ms() / 1000, anchor->sent};
    options.counters = counter.next(from.thread().wall_ms() / 1000);
    anchor->sent = options.counters;
  }
  byte_buffer frame;
  if (sealer.seal_framed(protocol::format_err(text), options, frame, scratch)) from.send(frame);
  // It waits among those that were refused (agent-behaviour.md L3), and makes room there for newer ones.
  leave_unverified();
  bool displaced = false;
  if (waiting_ == 0) waiting_ = context_->refused->enter(agent_, net::closer(from), displaced);
  if (displaced) context_->refusals->note(net::refusal::refused, from.peer().address, from.thread().now_ms());
  from.set_deadline(context_->limits.refused_ms);
  if (++refusals_ >= refusals_max) from.close_after_write();
  context_->log->write(log_event::agent_refused,
                       {{"agent", id_text_}, {"reason", reason}, {"peer", net::to_string(from.peer())}});
}

bool agent_connection::bind(net::connection& from, protocol::counter_pair pair) {
  auto anchor = context_->sessions->anchor(agent_);
  auto now_ms = from.thread().now_ms();
  session_link_ptr older;
  session_link_ptr fresh;
  {
    std::unique_lock lock{anchor->mutex};
    older = anchor->bound.lock();
    bool alive = older && !older->ended();
    // While we do not read, its silence is ours (agent-behaviour.md L2).
    bool ours = alive && (older->paused || older->waits());
    auto last_byte_ms = !alive ? 0 : ours ? now_ms : older->last_byte_ms.load();
    auto verdict = anchor->guard.on_startup(pair, now_ms, alive, last_byte_ms, context_->takeover);
    if (protocol::is_refusal(verdict)) {
      lock.unlock();
      if (verdict == protocol::takeover_verdict::refuse_clone) context_->cloned(agent_, row_, from.peer());
      context_->counts->session_startups_total.add_for("refused_in_use");
      answer_err(from, protocol::key_in_use_text, "key in use");
      return false;
    }
    fresh = std::make_shared<session_link>(anchor, row_, from.shared_from_this(), cipher_, anchor->sent);
    anchor->bound = fresh;
    if (!alive) older = nullptr;
  }
  link_ = fresh;
  link_->counts = context_->counts;
  leave_unverified();
  context_->refused->leave(std::exchange(waiting_, 0));
  context_->addresses->on_proven(from.peer().address, now_ms);
  from.set_deadline(0);
  session_ = context_->make_session(link_, row_);
  context_->sessions->bind(link_, session_);
  context_->counts->sessions.add(1);
  if (context_->taken) taken_slot_ = context_->taken->begin(agent_, from.token());
  watch_idle(from, context_->limits.idle_ms);
  if (older) {
    older->supersede();
    // In the agent's order: nothing of this connection is read before the older one is at its end.
    from.pause();
    link_->waits_for_older = true;
    older->hand_over_to(link_);
    older->half_close(context_->limits.rest_ms);
    // It may have ended before it knew whom to wake.
    if (older->ended()) link_->resume();
    context_->counts->session_takeovers_total.add();
    context_->log->write(log_event::agent_taken_over,
                         {{"agent", id_text_}, {"peer", net::to_string(from.peer())}});
  }
  return true;
}

agent_connection::step agent_connection::take_bound(net::connection& from, byte_view record) {
  auto head = protocol::parse_record_head(record);
  if (!head) return refuse(from, protocol::name_of(head.error()), id_text_);
  if (head->id && *head->id != id_text_) return refuse(from, "unknown_agent", std::string{*head->id});
  return hand_on(from, record, agent_);
}

agent_connection::step agent_connection::hand_on(net::connection& from, byte_view record, agent_id agent) {
  if (!gate_->open()) {
    // Somebody else wanted it to be read on: it still waits, and stands in the ring once.
    from.pause();
    return step::wait;
  }
  // A record of a connection that is not bound has been opened here; it is nothing to its session.
  sealed_record taken{agent, link_ ? from.token() : 0, from.thread().wall_ms(), record};
  if (!paid_ && limit(from, agent)) return step::wait;
  paid_ = true;
  taken.over_limit = over_limit_;
  if (link_) {
    // Counted first: the decoder may be done with the record before this thread goes on.
    link_->waiting_records.fetch_add(1);
    if (!link_->waits()) link_->waiting_since_ms = from.thread().now_ms();
  }
  auto answer = context_->intake->take(taken, *turn_);
  if (answer == intake_answer::taken) {
    context_->counts->ingest_records_total.add();
    context_->counts->ingest_bytes_total.add(static_cast<double>(record.size()));
    if (link_) {
      link_->taken_batch = turn_->batch;
      link_->traffic.add_record(record.size());
    }
    paid_ = over_limit_ = false;
    return step::next;
  }
  if (link_) link_->waiting_records.fetch_sub(1);
  wait_for_room(from, answer);
  return step::wait;
}

bool agent_connection::limit(net::connection& from, agent_id agent) {
  if (context_->events_per_second <= 0) return false;
  auto wait_ms =
      context_->sessions->anchor(agent)->take_event(context_->events_per_second, from.thread().now_ms());
  if (wait_ms == 0) return false;
  if (!limited_) context_->log->write(log_event::agent_over_limit, {{"agent", id_text_}});
  limited_ = true;
  over_limit_ = context_->drop_over_limit;
  if (over_limit_) return false;
  context_->counts->ingest_limited_events_total.add_for("delay");
  context_->counts->ingest_waiting_connections.add_for("limited", 1);
  from.pause();
  gate_->limit = true;
  if (link_) link_->begin_pause(from.thread().now_ms());
  std::weak_ptr<net::connection> weak = from.shared_from_this();
  from.thread().after(wait_ms, [weak, link = link_, gate = gate_, counts = context_->counts] {
    counts->ingest_waiting_connections.add_for("limited", -1);
    gate->limit = false;
    auto connection = weak.lock();
    if (!connection || !connection->is_open()) return;
    if (link) link->end_pause(connection->thread().now_ms());
    if (!link || !link->waits_for_older) connection->resume();
  });
  return true;
}

namespace {

/// One connection less that waits for room; the last one tells.
void count_read_on(const metrics& counts, event_log& log, const char* label) {
  const auto& gauge = counts.ingest_waiting_connections;
  gauge.add_for(label, -1);
  // Those that only have turns come and go.
  if (label == std::string_view{"paused"} && gauge.value_for(label) <= 0)
    log.write(log_event::ingest_resumed);
}

/// Goes on reading after a pause, on the connection's thread.
void read_on(net::connection& connection, const session_link_ptr& link, const metrics& counts,
             std::int64_t paused_ms) {
  if (!link) return connection.resume();
  link->end_pause(connection.thread().now_ms());
  // An agent that has waited for long: an acknowledgement that lies in its buffer saves the connection, but
  // one that has heard nothing for half a minute may have left it, and a write would throw away what it sent
  // last (agent-behaviour.md B2).
  bool silent = connection.thread().now_ms() - link->last_sent_ms.load() > loss_after_ms;
  auto acknowledge = [&] {
    if (link->send(protocol::ack_message)) counts.session_acks_total.add();
  };
  if (paused_ms >= long_pause_ms && !silent) acknowledge();
  connection.resume();
  if (!silent || !connection.is_open()) return;
  connection.read_what_is_there();
  if (connection.is_open() && !connection.paused()) acknowledge();
}

} // namespace

void agent_connection::wait_for_room(net::connection& from, intake_answer why) {
  bool throttled = why == intake_answer::throttled;
  const char* label = throttled ? "throttled" : "paused";
  (throttled ? context_->counts->ingest_throttles_total : context_->counts->ingest_pauses_total).add();
  context_->log->write(throttled ? log_event::ingest_throttled : log_event::ingest_paused,
                       {{"agent", id_text_}});
  context_->counts->ingest_waiting_connections.add_for(label, 1);
  from.pause();
  gate_->room = label;
  gate_->counted_ms = from.thread().now_ms();
  gate_->is_long = false;
  watch_pause(from);
  if (link_) link_->begin_pause(from.thread().now_ms());
  std::weak_ptr<net::connection> weak = from.shared_from_this();
  auto* thread = &from.thread();
  // Not the context: it holds the intake, which holds this.
  auto read = [weak, gate = gate_, label, link = link_, counts = context_->counts, log = context_->log,
               thread, since_ms = thread->now_ms()] {
    count_read_on(*counts, *log, label);
    counts->ingest_paused_seconds_total.add(static_cast<double>(thread->now_ms() - gate->counted_ms) / 1'000);
    gate->room = nullptr;
    thread->cancel(std::exchange(gate->timer, 0));
    auto connection = weak.lock();
    if (connection && connection->is_open())
      read_on(*connection, link, *counts, connection->thread().now_ms() - since_ms);
  };
  // At most one for each connection, so it is bounded without the thread's own limit.
  context_->intake->when_room(turn_, [thread, read = std::move(read)] { thread->post_unlimited(read); });
}

void agent_connection::watch_pause(net::connection& from) {
  gate_->timer = from.thread().after(loss_after_ms, [this, &from] {
    auto now_ms = from.thread().now_ms();
    auto waited_ms = now_ms - gate_->counted_ms;
    context_->counts->ingest_paused_seconds_total.add(static_cast<double>(waited_ms) / 1'000);
    gate_->counted_ms = now_ms;
    if (!gate_->is_long) {
      gate_->is_long = true;
      context_->counts->ingest_long_pauses_total.add();
      // What it sent in a second while it was read: what it may lose in one now.
      auto rate = link_ ? link_->records_per_s() : 0;
      context_->log->write(log_event::ingest_long_pause,
                           {{"agent", id_text_}, {"seconds", waited_ms / 1'000}, {"records_per_s", rate}});
    }
    watch_pause(from);
  });
}

void agent_connection::count_taken() {
  ++taken_;
  if (taken_slot_) context_->taken->set(*taken_slot_, taken_);
}

void agent_connection::on_closed(net::connection& from, net::close_reason reason) {
  if (idle_ != 0) from.thread().cancel(idle_);
  from.thread().cancel(std::exchange(gate_->timer, 0));
  if (gate_->room != nullptr && context_->intake->forget(turn_)) {
    count_read_on(*context_->counts, *context_->log, gate_->room);
    auto waited_ms = from.thread().now_ms() - gate_->counted_ms;
    context_->counts->ingest_paused_seconds_total.add(static_cast<double>(waited_ms) / 1'000);
  }
  if (taken_slot_) context_->taken->end(*taken_slot_);
  leave_unverified();
  context_->refused->leave(std::exchange(waiting_, 0));
  context_->counts->ingest_closed_connections_total.add_for(net::name_of(reason));
  if (!link_) return;
  context_->addresses->on_gone(from.peer().address, from.thread().now_ms());
  link_->mark_ended();
  context_->counts->sessions.add(-1);
  // Else the decoder ends the session: what still waits may be the agent's farewell.
  if (link_->take_end()) {
    context_->sessions->unbind(*link_);
    caf::anon_send(session_, closed_atom_v);
  }
  if (auto next = link_->successor()) next->resume();
}

} // namespace picket
