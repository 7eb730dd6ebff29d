#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "actors/agent_session/agent_traffic.hpp"
#include "actors/agent_session/event_rate.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/ids.hpp"
#include "net/connection.hpp"
#include "protocol/agent/connection_state.hpp"
#include "protocol/agent/counters.hpp"
#include "protocol/agent/record.hpp"
#include "protocol/registry/rows.hpp"

namespace picket {

/// What all connections of one agent share: who has it, and the counters that only grow. One for each agent
/// that was seen since the node started.
struct agent_anchor {
  explicit agent_anchor(agent_id agent)
      : id{agent} {}

  const agent_id id;
  std::mutex mutex; ///< of all below
  protocol::takeover_guard guard;
  protocol::counter_pair sent;               ///< the highest pair that any session sent
  protocol::receive_window received;         ///< used with `agents.check_counters`
  std::uint64_t received_for = 0;            ///< registration that `received` belongs to
  agent_traffic past;                        ///< of connections that are gone; needs no lock
  std::atomic<std::int64_t> last_byte_ms{0}; ///< of those, wall clock

  /// Takes one event of the agent's rate, whatever connection brings it; else the milliseconds until there is
  /// one. Takes the lock.
  std::int64_t take_event(std::int64_t per_second, std::int64_t now_ms);
  /// With receive checking on: false if the pair was there before. Takes the lock.
  bool is_fresh(std::uint64_t registration, protocol::counter_pair pair);
  std::optional<event_rate> events; ///< used with `agents.events_per_second`
  std::weak_ptr<class session_link> bound;
};

/// One connection that is bound to an agent: the way to the agent. Shared by the I/O side, the decoder and
/// the session; thread-safe.
///
/// Frames are sealed and handed to the I/O thread under one lock, so counters go out in order. Nothing is
/// written after `supersede` or the end of the connection (agent-behaviour.md W2).
class session_link {
public:
  /// `floor`: every pair that goes out is above it.
  session_link(std::shared_ptr<agent_anchor> anchor, const protocol::agent_row& row,
               const std::shared_ptr<net::connection>& connection, protocol::record_cipher cipher,
               protocol::counter_pair floor);
  /// Adds what it brought to the agent's figures.
  ~session_link();
  session_link(const session_link&) = delete;
  session_link& operator=(const session_link&) = delete;

  /// Seals the message and queues it; one that finds no room in the connection's buffer is counted as
  /// dropped. False: superseded, ended, or the thread's queue is full; the caller counts that.
  bool send(std::string_view message);

  /// A newer connection has the agent.
  void supersede();
  bool superseded() const noexcept { return superseded_.load(std::memory_order_acquire); }
  /// Sequentially consistent, as are `taken_batch` and `opened_batch`: of the two that look at both, one sees
  /// the other's change.
  void mark_ended() noexcept { ended_.store(true); }
  bool ended() const noexcept { return ended_.load(); }
  /// True once: the connection has ended, and every record that came over it has been opened. Asked by the
  /// I/O side behind `mark_ended`, and by the decoder behind a batch and what it had for the session; whoever
  /// gets true ends the session.
  bool take_end() noexcept { return ended() && !waits() && !end_taken_.exchange(true); }

  /// Records of it were taken that nobody has opened yet. Batches of an agent are opened in their order, so
  /// the last one tells; a batch that was lost is as good as opened.
  bool waits() const noexcept { return taken_batch.load() > opened_batch.load(); }
  /// All records up to that batch have been opened, or are lost.
  void opened_up_to(std::uint64_t batch) noexcept {
    auto known = opened_batch.load();
    while (known < batch && !opened_batch.compare_exchange_weak(known, batch)) {
    }
  }

  /// Ends the connection from any thread. `half`: writes no more and reads to the end, at most `limit_ms`;
  /// one that waits for an older one goes on waiting, or it would overtake it.
  void close(net::close_reason reason);
  void half_close(std::int64_t limit_ms);
  /// Reads on after a pause.
  void resume();

  /// Reading is paused for want of room, from now or until now (steady clock). On the I/O thread.
  void begin_pause(std::int64_t now_ms) noexcept;
  void end_pause(std::int64_t now_ms) noexcept;
  agent_contact contact() const;
  /// Records that it brought in a second of the time in which it was read.
  std::int64_t records_per_s() const;

  /// The connection that waits until this one has been read to its end.
  void hand_over_to(const std::shared_ptr<session_link>& next);
  std::shared_ptr<session_link> successor() const;

  agent_id agent() const noexcept { return anchor_->id; }
  const std::shared_ptr<agent_anchor>& anchor() const noexcept { return anchor_; }
  net::connection_token token() const noexcept { return token_; }
  const std::string& name() const noexcept { return name_; }
  const std::string& registered_address() const noexcept { return registered_address_; }
  std::uint64_t registration() const noexcept { return registration_; }

  // Liveness, written by the I/O side and the decoder.
  std::atomic<std::int64_t> last_byte_ms{0};     ///< steady clock
  std::atomic<std::uint64_t> taken_batch{0};     ///< that has its newest record; by the I/O side
  std::atomic<std::uint64_t> opened_batch{0};    ///< up to which all is opened; by the decoder
  std::atomic<std::int64_t> waiting_records{0};  ///< sealed records that nobody has opened yet; for people
  std::atomic<std::int64_t> waiting_since_ms{0}; ///< steady clock; of the oldest progress while records wait
  std::atomic<bool> waits_for_older{false};      ///< not read before the older connection is at its end
  std::atomic<bool> paused{false};               ///< reading is paused for want of room
  agent_traffic traffic;                         ///< what it brought
  std::atomic<std::int64_t> last_sent_ms{0};     ///< steady clock; of the last message to the agent
  std::shared_ptr<const metrics> counts; ///< of messages that found no room; null: they are not counted

private:
  /// `must_run`: beyond the thread's limit as well; for what happens once in a connection's life.
  template <class Task>
  bool on_connection(Task task, bool must_run = false);

  std::shared_ptr<agent_anchor> anchor_;
  std::weak_ptr<net::connection> connection_;
  net::io_thread* thread_;
  net::connection_token token_;
  std::string name_;
  std::string registered_address_;
  std::uint64_t registration_;
  std::string peer_;
  std::int64_t connected_ms_;
  std::atomic<std::int64_t> paused_since_ms_{0};
  protocol::record_cipher cipher_;

  mutable std::mutex successor_mutex_; ///< apart: asked for while a send closes the connection
  std::weak_ptr<session_link> successor_;
  std::mutex mutex_;
  protocol::record_sealer sealer_;
  protocol::server_counter counter_;
  std::atomic<bool> superseded_{false};
  std::atomic<bool> ended_{false};
  std::atomic<bool> end_taken_{false};
};

using session_link_ptr = std::shared_ptr<session_link>;

} // namespace picket
