#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "actors/agent_session/session_directory.hpp"
#include "actors/listener/record_intake.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/telemetry/metrics.hpp"
#include "actors/telemetry/refusal_tally.hpp"
#include "base/telemetry/event_log.hpp"
#include "net/address_guard.hpp"
#include "net/connection.hpp"
#include "net/provisional.hpp"
#include "protocol/agent/connection_state.hpp"
#include "protocol/agent/record.hpp"
#include "store/pool/connection_counts.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket {

struct port_limits {
  std::int64_t first_record_ms = 60'000; ///< from the accept to the first record that opens
  std::int64_t whole_frame_ms = 60'000;  ///< from a frame's first byte to its last
  std::int64_t refused_ms = 75'000;      ///< a refused agent keeps its socket for its own pauses
  std::int64_t rest_ms = 10'000;         ///< a superseded connection is read to its end for so long
  std::int64_t idle_ms = 0;              ///< without a byte from a bound connection; 0: no limit
};

using unverified_connections = net::provisional_connections<net::ip_address, net::ip_address_hash>;
using refused_connections = net::provisional_connections<agent_id>;

/// What the connections of the agent port share.
struct port_context {
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<session_directory> sessions;
  std::shared_ptr<record_intake> intake;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
  protocol::version_policy versions;
  protocol::takeover_limits takeover;
  port_limits limits;
  bool check_counters = false;
  std::int64_t events_per_second = 0;              ///< of one agent; 0: no limit
  bool drop_over_limit = false;                    ///< else what is above it waits at the agent
  std::shared_ptr<store::connection_counts> taken; ///< null: not counted
  /// Connections that no agent has yet; each enters before its handler is made.
  std::shared_ptr<unverified_connections> unverified;
  /// Connections whose agent was refused and that only wait.
  std::shared_ptr<refused_connections> refused;
  std::shared_ptr<net::address_guard> addresses;
  std::shared_ptr<refusal_tally> refusals;
  /// Makes the session of a connection that has just been bound.
  std::function<agent_session_actor(const session_link_ptr&, const protocol::agent_row&)> make_session;
  /// The agent has proven its key for the first time.
  std::function<void(agent_id)> proven;
  /// Two machines use the agent's key; told at most once in the window of `takeover`.
  std::function<void(agent_id, const protocol::agent_row&, const net::endpoint&)> cloned;
};

/// One connection of the agent port, on its I/O thread: cuts frames, proves who it is, then hands sealed
/// records on.
///
/// unproven: every record is opened here; nothing is believed before its digest fits. A start-up binds the
/// connection to the agent (or is refused with a text); from then on it is bound and records stay sealed.
class agent_connection final : public net::connection_handler {
public:
  /// `place` among the unverified ones.
  agent_connection(std::shared_ptr<const port_context> context, unverified_connections::ticket place);
  ~agent_connection() override;

  std::size_t on_data(net::connection& from, byte_view bytes) override;
  void on_closed(net::connection& from, net::close_reason reason) override;

private:
  enum class step { next, wait, closed };

  step take_record(net::connection& from, byte_view record);
  step take_unproven(net::connection& from, byte_view record);
  step take_bound(net::connection& from, byte_view record);
  step hand_on(net::connection& from, byte_view record, agent_id agent);
  /// Holds a record against the agent's limit of events a second. True: it has to wait.
  bool limit(net::connection& from, agent_id agent);
  void wait_for_room(net::connection& from, intake_answer why);
  /// Counts and tells a pause while it lasts, not only when it is over.
  void watch_pause(net::connection& from);
  void count_taken();
  step take_control(net::connection& from, const protocol::opened_record& opened);
  step take_startup(net::connection& from, std::string_view body, const protocol::opened_record& opened);
  /// Decides whether this connection gets the agent. False: it was refused, and told so.
  bool bind(net::connection& from, protocol::counter_pair pair);
  void answer_err(net::connection& from, std::string_view text, std::string_view reason);
  /// Finds the agent of a record and checks that it may come from here.
  std::optional<agent_id> identify(net::connection& from, const protocol::record_head& head);
  bool load_key(agent_id id);
  step refuse(net::connection& from, std::string_view reason, const std::string& agent);
  void watch_partial(net::connection& from, bool partial, bool progress);
  void watch_idle(net::connection& from, std::int64_t after_ms);
  void proven(net::connection& from);
  void leave_unverified() { context_->unverified->leave(std::exchange(unverified_, 0)); }

  static constexpr unsigned unbound_pings_max = 100; ///< a balancer sends one
  static constexpr unsigned refusals_max = 8;        ///< an agent makes a new connection for each attempt
  std::shared_ptr<const port_context> context_;
  agent_id agent_ = 0; ///< proven; 0: not yet
  protocol::agent_row row_;
  std::string id_text_;
  std::optional<protocol::record_opener> opener_;
  protocol::record_cipher cipher_ = protocol::record_cipher::aes;
  session_link_ptr link_;
  agent_session_actor session_;
  unverified_connections::ticket unverified_; ///< 0: has left
  refused_connections::ticket waiting_ = 0;
  unsigned refusals_ = 0; ///< times that the agent was refused here
  unsigned pings_ = 0;
  bool partial_ = false;
  net::timer_id idle_ = 0;
  std::shared_ptr<connection_turn> turn_ = std::make_shared<connection_turn>();
  /// Why nothing is read for the moment, besides an older connection; shared with what ends it. Touched on
  /// the I/O thread only.
  struct read_gate {
    const char* room = nullptr;  ///< waits for its turn; the label by which that is counted
    bool limit = false;          ///< waits because its agent is over its limit
    std::int64_t counted_ms = 0; ///< up to here the pause is in the figures; steady clock
    bool is_long = false;        ///< it was said that the pause is a long one
    net::timer_id timer = 0;     ///< looks at the pause now and then
    bool open() const noexcept { return room == nullptr && !limit; }
  };
  std::shared_ptr<read_gate> gate_ = std::make_shared<read_gate>();
  bool paid_ = false;       ///< the record that waits has been held against the agent's limit …
  bool over_limit_ = false; ///< … and was above it
  bool limited_ = false;    ///< it was said that the agent is over its limit
  std::uint64_t taken_ = 0; ///< records of this connection that are done with here
  std::optional<std::uint32_t> taken_slot_;
};

/// The handler of a connection that has just been accepted; it takes a place among those that have not proven
/// anything, for which an older one may have to go.
std::shared_ptr<agent_connection> make_agent_connection(const std::shared_ptr<const port_context>& context,
                                                        net::connection& fresh);

} // namespace picket
