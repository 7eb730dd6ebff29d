#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>

#include "actors/dispatcher/dispatcher.hpp"
#include "actors/dispatcher/shard_intake.hpp"
#include "actors/enroller/enroller.hpp"
#include "actors/listener/agent_connection.hpp"
#include "actors/membership/membership.hpp"
#include "actors/overflow/overflow.hpp"
#include "actors/registry/registry.hpp"
#include "cluster-tests/agentsim/verify.hpp"
#include "net/io_thread.hpp"
#include "store/deadletter/deadletter_store.hpp"
#include "store/local/local_state.hpp"

namespace picket::simulation {

/// What a run varies, drawn from its seed.
struct node_shape {
  std::uint32_t segments = 32;
  std::uint32_t shards = 2;
  std::uint32_t quota = 24;
  std::uint32_t executors = 1;
  std::uint32_t batch_records = 16;
  std::uint64_t overflow_bytes = 0; ///< 0: none
  bool durable = false;
  bool strict = false;
  std::int64_t events_per_second = 0;

  static node_shape draw(std::mt19937_64& random);
  std::string to_text() const;
};

/// The journal of a run: what was written outlives the node, and it fails while it is told to.
struct simulated_journal {
  agentsim::verifier written{"sim"};
  bool failing = false;
  std::uint64_t lines = 0;
};

/// One node on CAF's test scheduler and virtual time: every actor but the `listener`, whose sockets are pairs
/// that the simulation holds the other ends of. `kill` drops all of it without a word to anybody; what lies
/// in the directory stays.
class simulated_node {
public:
  simulated_node(std::filesystem::path directory, node_shape shape,
                 std::shared_ptr<const engine::ruleset> rules, std::shared_ptr<simulated_journal> journal);
  ~simulated_node();
  simulated_node(const simulated_node&) = delete;
  simulated_node& operator=(const simulated_node&) = delete;

  /// The other end of a connection that the node has accepted, and the node's name of it.
  int connect(std::uint64_t& token);
  /// One round of the I/O thread.
  void step_io() { io->step(); }
  /// Runs up to `count` messages of the actors, each time one that `random` chooses.
  std::size_t run_actors(std::size_t count, std::mt19937_64& random);
  void run_all();
  /// Moves the clock of the actors; the rest goes by virtual_time.
  void advance(std::int64_t ms) { scheduler().advance_time(std::chrono::milliseconds{ms}); }
  /// An executor dies of a defect.
  void kill_executor(std::size_t which);

  /// Asks that must be answered; how many are open longer than their limit.
  void ask_something(std::mt19937_64& random);
  std::size_t overdue() const;

  /// Empty, or the bound that does not hold.
  std::string broken_bound() const;

  caf::scheduler::test_coordinator& scheduler() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
  }

  std::filesystem::path directory;
  node_shape shape;
  std::shared_ptr<metrics> counts = std::make_shared<metrics>();
  std::shared_ptr<event_log> log = event_log::silent();
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<store::pool> pool;
  std::shared_ptr<store::overflow> files;
  std::shared_ptr<shard_intake> intake;
  std::shared_ptr<session_directory> sessions;
  std::shared_ptr<store::deadletter_store> letters;

private:
  struct config;
  struct question {
    std::int64_t due_ms = 0;
    bool answered = false;
  };
  void open_stores();
  void spawn_actors(std::shared_ptr<const engine::ruleset> rules, std::shared_ptr<simulated_journal> journal);
  void spawn_analysis(std::shared_ptr<const engine::ruleset> rules,
                      std::shared_ptr<simulated_journal> journal);
  void spawn_examiner();
  /// Shards whose first batch an earlier process has begun and not finished.
  std::vector<shard_id> suspects() const;
  void spawn_members();
  void open_port();

  std::shared_ptr<store::local_state> local;
  std::shared_ptr<agent_status_table> statuses = std::make_shared<agent_status_table>();
  std::unique_ptr<net::io_thread> io;
  std::unique_ptr<config> settings;
  std::unique_ptr<caf::actor_system> system;
  registry_actor registry_handle;
  membership_actor membership_handle;
  enroller_actor enroller_handle;
  alert_sink_actor sink_handle;
  overflow_actor overflow_handle;
  dispatcher_actor dispatcher_handle;
  examiner_actor examiner_handle;
  std::vector<executor> executors;
  std::vector<agent_session_actor> session_handles;
  std::vector<caf::actor> others; ///< that asked something
  std::shared_ptr<port_context> context;
  std::vector<std::shared_ptr<net::connection>> connections;
  std::vector<std::shared_ptr<question>> questions;
  std::uint64_t names = 0;
};

} // namespace picket::simulation
