#pragma once

#include <atomic>
#include <memory>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/agent_session/agent_session.hpp"
#include "actors/alert_sink/file_journal.hpp"
#include "actors/api/api.hpp"
#include "actors/decoder/decoder.hpp"
#include "actors/dispatcher/dispatcher.hpp"
#include "actors/dispatcher/shard_intake.hpp"
#include "actors/enroller/enroller.hpp"
#include "actors/enroller/enrollment_port.hpp"
#include "actors/examiner/examiner.hpp"
#include "actors/health/agent_check_port.hpp"
#include "actors/health/monitor.hpp"
#include "actors/interfaces.hpp"
#include "actors/listener/listener.hpp"
#include "actors/membership/membership.hpp"
#include "actors/overflow/overflow.hpp"
#include "actors/registry/registry.hpp"
#include "actors/rule/rule.hpp"
#include "actors/rule/stored_first_seen.hpp"
#include "actors/watch/part_watch.hpp"
#include "config/settings.hpp"
#include "node/picketd/node.hpp"

namespace picket {

/// CAF as a node wants it: one message at a time from each actor, so that a control actor never waits behind
/// a busy one for long.
struct system_config : caf::actor_system_config {
  explicit system_config(std::size_t threads);
};

/// The dispatcher, for those that are made before it.
struct dispatcher_slot {
  dispatcher_actor handle;
};

/// The overflow's actor, for the intake, which is made before it.
struct overflow_slot {
  overflow_actor handle;
};

/// Everything a node is made of, in the order in which it is made; it goes away in the reverse order.
struct node::parts {
  config::settings settings;
  std::shared_ptr<event_log> log;
  std::shared_ptr<part_watch> watching;
  std::shared_ptr<metrics> own_counts; ///< the same as `counts`
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<health_board> board = std::make_shared<health_board>();
  std::shared_ptr<journal_health> journal_state = std::make_shared<journal_health>();
  std::string name;
  std::int64_t started_ms = 0;

  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<store::local_state> local;
  std::shared_ptr<store::pool> pool;
  std::shared_ptr<store::deadletter_store> letters;
  std::shared_ptr<store::overflow> overflow_files; ///< null: there is none
  std::shared_ptr<const engine::ruleset> rules;
  std::shared_ptr<stored_first_seen> first_seen;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<session_directory> sessions;
  std::shared_ptr<std::atomic<std::uint64_t>> requests;

  std::unique_ptr<system_config> caf_config;
  std::unique_ptr<caf::actor_system> system;
  std::shared_ptr<dispatcher_slot> dispatcher;
  std::shared_ptr<overflow_slot> spill;
  std::shared_ptr<shard_intake> intake;
  std::shared_ptr<letter_office> office;
  registry_actor registry;
  membership_actor membership;
  alert_sink_actor sink;
  examiner_actor examiner;
  enroller_actor enroller;
  listener_actor listener;
  monitor_actor monitor;

  std::shared_ptr<picket::agent_port> agents;
  std::unique_ptr<picket::enrollment_port> enrollment;
  std::shared_ptr<api::node_facade> facade;
  std::unique_ptr<api::http_server> admin;
  std::unique_ptr<api::http_server> health;
  std::unique_ptr<picket::agent_check_port> agent_check; ///< null: switched off
  std::atomic<bool> stopping{false};
  std::atomic<bool> draining{false}; ///< an operator wants no new agents here; forgotten by a restart

  ~parts();

  // wiring.cpp: in this order
  result<void> open_stores();
  result<void> open_letters();
  result<void> open_overflow();
  result<void> load_rules();
  void spawn_state_actors();
  void open_intake();
  result<void> open_sink();
  void spawn_examiner();
  void spawn_analysis();
  void spawn_membership();
  /// What limits the agent port before and after a connection has an agent.
  void guard_port(port_context& context);
  result<void> open_agent_port();
  result<void> open_enrollment();
  result<void> open_http();
  result<void> begin();
  /// Shards whose first batch an earlier process has begun and not finished.
  std::vector<shard_id> suspects() const;

  // health_wiring.cpp
  /// Executors are the dispatcher's to replace, sessions only matter to their agent; the others the node
  /// needs.
  void watch_parts();
  result<void> open_agent_check();
  void add_collectors();
  void spawn_monitor();
  /// It asks all other parts: it ends before any of them.
  void end_monitor();
  health_facts look() const;
  /// What the monitor found last, and what an operator has said since.
  health_board::view health_now() const;

  std::function<protocol::request_id()> request_source() const;
  /// Why the node should get no events, or no changes; empty: it is ready.
  std::string not_ready_for_ingest() const;
  std::string not_ready_for_control() const;
};

/// An address of the settings for a socket; `key` is named where it is none. Errors: address_invalid.
result<net::endpoint> endpoint_of(const config::listen_address& address, const char* key);

/// Finds the rule set's compile options in the settings.
engine::compile_options compile_options_of(std::int64_t alert_level, std::int64_t email_alert_level);

/// node_facade.cpp
std::shared_ptr<api::node_facade> make_facade(node::parts& of);

} // namespace picket
