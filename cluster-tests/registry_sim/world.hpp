#pragma once

#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/testing/scratch_directory.hpp"
#include "cluster-tests/registry_sim/checker.hpp"
#include "cluster-tests/registry_sim/node.hpp"
#include "cluster-tests/registry_sim/wire.hpp"

namespace picket::registry_sim {

struct figures {
  std::size_t commits = 0;
  std::size_t acknowledged = 0;
  std::size_t unknown = 0;
  std::size_t resolved = 0; ///< unknown ones that an outcome told of
  std::size_t crashes = 0;
  std::size_t went_back = 0;
};

/// A cluster of one to five nodes on one store, its clients, and what goes wrong, all by one seed in one
/// thread.
class world {
public:
  world(std::uint64_t seed, spoil broken);

  /// Chaos, then peace until everything has come to rest. The first violation, or nothing.
  std::string run();
  const figures& counted() const noexcept { return counted_; }

private:
  struct attempt {
    protocol::command command;
    int node = 0;
    std::uint32_t life = 0;
    bool open = true;
  };

  bool broken() const { return !check_.violation().empty(); }
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  node& any_node() { return *nodes_[roll(nodes_.size())]; }
  void chaos_step();
  void pass(std::int64_t ms);
  void set_faults();
  void fault();
  void go_back();
  void crash(node& one);
  void client();
  protocol::command_arguments any_change(node& at);
  void offer(const protocol::command& command, node& at);
  void follow_up(const protocol::command& command);
  void ask_outcome(const protocol::command& command, node& at);
  bool at_rest() const;
  void settle();
  void trace(const std::string& what) const;

  std::mt19937_64 random_;
  testing::scratch_directory scratch_;
  memory_store store_;
  wire way_;
  checker check_;
  std::vector<std::unique_ptr<node>> nodes_;
  std::vector<std::shared_ptr<attempt>> attempts_;
  std::deque<protocol::command> doubtful_; ///< answered `unknown`, and not followed up yet
  std::set<protocol::request_id> closed_;  ///< whose outcome is asked or known: not repeated any more
  std::unique_ptr<memory_store> saved_;    ///< a backup of the store
  std::int64_t now_ms_ = 0;
  figures counted_;
};

} // namespace picket::registry_sim
