#pragma once

#include <filesystem>
#include <memory>

#include "actors/registry/batcher.hpp"
#include "actors/registry/replica.hpp"
#include "cluster-tests/registry_sim/wire.hpp"

namespace picket::registry_sim {

/// What is broken on purpose, to see that the checker finds it.
enum class spoil : std::uint8_t {
  nothing,
  guard,           ///< the store does not compare the head
  request_ids,     ///< nobody looks whether a request was decided before
  resend,          ///< after a conflict the old writes are sent again
  skip_rule,       ///< what the watch brings again is applied again
  resync_revision, ///< pages of a load are each of the newest revision
};

/// One node of the simulation: the production batcher and replica on LMDB tables, and what drives them.
class node {
public:
  node(int number, std::filesystem::path directory, wire& way, memory_store& store, spoil broken);
  ~node();

  void start();
  /// Power goes: all that waits is gone, and the tables are as at the last `sync`.
  void crash();
  bool up() const noexcept { return commands_ != nullptr; }
  /// A copy of the tables as they are now is what a crash leaves.
  void sync();

  /// Everything that it can do now.
  void step(std::int64_t now_ms);

  registry::batcher& commands() { return *commands_; }
  registry::replica& copy() { return *copy_; }
  store::registry_tables& tables() { return *tables_; }
  int number() const noexcept { return number_; }
  /// Its clock, which may differ from the others'.
  std::int64_t wall_ms(std::int64_t now_ms) const noexcept { return now_ms + clock_offset_ms; }
  protocol::request_id next_request();
  /// Grows with each start; what belongs to an earlier life is not this one's.
  std::uint32_t life() const noexcept { return life_; }
  std::size_t syncs() const noexcept { return syncs_; }

  std::int64_t clock_offset_ms = 0;

private:
  class forgetful_ground;
  class eager_replica;

  void step_commands(std::int64_t now_ms);
  void step_replica(std::int64_t now_ms);
  void probe(std::int64_t now_ms);
  void resend(const registry::commit_request& request);
  void load_page(const registry::replica_wish& wish);

  int number_;
  std::filesystem::path directory_;
  wire& way_;
  memory_store& store_;
  spoil broken_;
  std::unique_ptr<store::registry_tables> tables_;
  std::unique_ptr<registry::replica> copy_;
  std::unique_ptr<registry::decision_ground> ground_; ///< in front of the replica, if it is to forget
  std::unique_ptr<registry::batcher> commands_;
  std::uint32_t life_ = 0;
  std::uint64_t counter_ = 0;
  std::size_t syncs_ = 0;
  std::uint64_t acted_on_ = 0; ///< wish that was sent or whose watch is open
  std::uint64_t watch_ = 0;
  std::int64_t probe_at_ms_ = 0;
};

} // namespace picket::registry_sim
