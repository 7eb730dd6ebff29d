#include "actors/agent_session/session_link.hpp"

#include <algorithm>

#include "base/time.hpp"

namespace picket {

bool agent_anchor::is_fresh(std::uint64_t registration, protocol::counter_pair pair) {
  std::lock_guard lock{mutex};
  if (received_for != registration) {
    received = {};
    received_for = registration;
  }
  return received.take(pair) == protocol::receive_window::verdict::fresh;
}

session_link::session_link(std::shared_ptr<agent_anchor> anchor, const protocol::agent_row& row,
                           const std::shared_ptr<net::connection>& connection, protocol::record_cipher cipher,
                           protocol::counter_pair floor)
    : anchor_{std::move(anchor)}
    , connection_{connection}
    , thread_{&connection->thread()}
    , token_{connection->token()}
    , name_{row.name}
    , registered_address_{row.address}
    , registration_{row.registration}
    , peer_{net::to_string(connection->peer().address)}
    , connected_ms_{wall_clock_ms()}
    , cipher_{cipher}
    , sealer_{protocol::derive_record_key(to_text(anchor_->id), row.name, row.key)}
    , counter_{wall_clock_ms() / 1000, floor} {
  last_byte_ms = steady_clock_ms();
  last_sent_ms = steady_clock_ms();
}

namespace {

/// The compressor's working memory, a quarter of a megabyte: one for each thread that sends, not for each
/// session.
protocol::seal_scratch& sealing_memory() {
  thread_local protocol::seal_scratch memory{1};
  return memory;
}

/// A moment of the steady clock on the wall clock.
std::int64_t on_the_wall(std::int64_t steady_ms) { return wall_clock_ms() - (steady_clock_ms() - steady_ms); }

} // namespace

session_link::~session_link() {
  end_pause(steady_clock_ms());
  anchor_->past.add(traffic.read());
  auto last = on_the_wall(last_byte_ms);
  auto known = anchor_->last_byte_ms.load();
  while (known < last && !anchor_->last_byte_ms.compare_exchange_weak(known, last)) {
  }
}

void session_link::begin_pause(std::int64_t now_ms) noexcept {
  if (!paused.exchange(true)) paused_since_ms_ = now_ms;
}

void session_link::end_pause(std::int64_t now_ms) noexcept {
  if (paused.exchange(false)) traffic.add_pause(std::max<std::int64_t>(0, now_ms - paused_since_ms_));
}

agent_contact session_link::contact() const {
  agent_contact now;
  now.connected = !ended();
  now.last_byte_ms = on_the_wall(last_byte_ms);
  now.address = peer_;
  now.connected_ms = connected_ms_;
  now.paused = paused;
  now.waiting_records = waits() ? std::max<std::int64_t>(1, waiting_records) : 0;
  now.connection = traffic.read();
  if (now.paused) now.connection.paused_ms += std::max<std::int64_t>(0, steady_clock_ms() - paused_since_ms_);
  return now;
}

std::int64_t session_link::records_per_s() const {
  auto now = contact();
  auto read_ms = wall_clock_ms() - connected_ms_ - now.connection.paused_ms;
  return static_cast<std::int64_t>(now.connection.records) * 1'000 / std::max<std::int64_t>(1'000, read_ms);
}

std::int64_t agent_anchor::take_event(std::int64_t per_second, std::int64_t now_ms) {
  std::lock_guard lock{mutex};
  if (!events) events.emplace(per_second);
  return events->take(now_ms);
}

template <class Task>
bool session_link::on_connection(Task task, bool must_run) {
  auto run = [weak = connection_, task = std::move(task)] {
    auto connection = weak.lock();
    if (connection && connection->is_open()) task(*connection);
  };
  if (thread_->on_this_thread()) {
    run();
    return true;
  }
  return must_run ? thread_->post_unlimited(std::move(run)) : thread_->post(std::move(run));
}

bool session_link::send(std::string_view message) {
  if (superseded() || ended()) return false;
  std::lock_guard lock{mutex_};
  byte_buffer frame;
  protocol::seal_options options;
  options.cipher = cipher_;
  options.counters = counter_.next(wall_clock_ms() / 1000);
  options.salt = static_cast<std::uint16_t>(options.counters.local * 7919u);
  if (!sealer_.seal_framed(message, options, frame, sealing_memory())) return false;
  {
    std::lock_guard anchor_lock{anchor_->mutex};
    anchor_->sent = std::max(anchor_->sent, options.counters);
  }
  last_sent_ms = steady_clock_ms();
  return on_connection([frame = std::move(frame), counts = counts](net::connection& connection) {
    if (!connection.send(frame) && connection.takes_writes() && counts)
      counts->session_dropped_messages_total.add();
  });
}

void session_link::supersede() { superseded_.store(true, std::memory_order_release); }

void session_link::close(net::close_reason reason) {
  on_connection([reason](net::connection& connection) { connection.close(reason); }, true);
}

void session_link::half_close(std::int64_t limit_ms) {
  on_connection(
      [limit_ms, waits = waits_for_older.load()](net::connection& connection) {
        connection.set_deadline(limit_ms);
        if (!waits) connection.resume();
        connection.half_close();
      },
      true);
}

void session_link::hand_over_to(const std::shared_ptr<session_link>& next) {
  std::lock_guard lock{successor_mutex_};
  successor_ = next;
}

std::shared_ptr<session_link> session_link::successor() const {
  std::lock_guard lock{successor_mutex_};
  return successor_.lock();
}

void session_link::resume() {
  waits_for_older = false;
  on_connection([](net::connection& connection) { connection.resume(); }, true);
}

} // namespace picket
