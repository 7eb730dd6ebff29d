#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/agent_session/session_directory.hpp"
#include "actors/decoder/event_source.hpp"
#include "actors/dispatcher/work.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/telemetry/metrics.hpp"
#include "base/telemetry/event_log.hpp"
#include "protocol/agent/record.hpp"
#include "store/deadletter/deadletter_store.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket {

struct reader_setup {
  std::shared_ptr<store::registry_tables> tables;
  std::shared_ptr<agent_status_table> statuses;
  std::shared_ptr<session_directory> sessions;
  std::shared_ptr<const metrics> counts;
  std::shared_ptr<event_log> log;
  node_identity identity;
  bool check_counters = false; ///< refuse records whose counters were seen before
  /// Lines of which the analysis is known to die are kept from it. Null: none are known.
  std::shared_ptr<store::deadletter_store> letters = nullptr;
};

/// Control messages of a batch, for a session.
struct session_messages {
  agent_session_actor session;
  std::shared_ptr<control_batch> messages;
};

/// Makes events of a batch's records: opens, tells control messages from events, finds the source of each
/// event. Belongs to one decoder; caches what it derives per agent.
///
/// Bound: `agents_cached` agents and `sources_cached` sources of each, then emptied.
class record_reader {
public:
  static constexpr std::size_t agents_cached = 4'096;
  static constexpr std::size_t sources_cached = 64;

  explicit record_reader(reader_setup setup);

  /// Fills `texts`, `sources` and `events` of the work. Never fails: what is wrong with a record is counted,
  /// logged, and ends the record's connection.
  std::vector<session_messages> read(work& what);

  /// Call behind `read`, when the control messages have been sent: from here on the records of the batch
  /// count as opened, and an I/O thread may end a session whose connection has ended. Sessions whose
  /// connection had ended before and whose last record was in this batch: they are unbound, and the caller
  /// tells them.
  std::vector<agent_session_actor> settle(work& what);

private:
  struct agent_cache {
    std::uint64_t registry_generation = 0;
    std::uint64_t status_generation = 0;
    bool known = false;
    protocol::agent_row row;
    std::string id_text;
    std::unique_ptr<protocol::record_opener> opener;
    std::unordered_map<std::string, std::shared_ptr<const engine::source>> sources;
  };
  /// What one connection brought in this batch.
  struct connection_tally {
    std::optional<session_directory::entry> entry;
    std::shared_ptr<control_batch> messages;
    protocol::counter_pair highest;
    std::int64_t opened = 0;
    std::uint64_t events = 0;
    std::uint64_t dropped = 0;
    bool broken = false;
  };

  agent_cache& cache_of(agent_id id);
  void refresh(agent_cache& cache, agent_id id);
  connection_tally& tally_of(net::connection_token token);
  void read_sealed(work& what, std::uint32_t index);
  enum class message_kind { event, skipped, malformed };
  message_kind add_event(work& what, std::uint32_t index, std::string_view message, agent_cache* cache);
  void add_plain(work& what, std::uint32_t index);
  std::vector<session_messages> messages();
  std::shared_ptr<const engine::source> source_of(agent_cache* cache, char queue, std::string_view location);
  void reject(connection_tally& tally, agent_id agent, std::string_view reason);
  std::int32_t offset_at(std::int64_t arrival_ms);

  reader_setup setup_;
  protocol::open_scratch scratch_;
  std::unordered_map<agent_id, agent_cache> agents_;
  std::unordered_map<net::connection_token, connection_tally> tallies_;
  std::int64_t offset_second_ = -1;
  std::int32_t offset_s_ = 0;
};

} // namespace picket
