#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "actors/registry/answers.hpp"
#include "actors/testing/memory_store.hpp"
#include "cluster-tests/registry_sim/node.hpp"

namespace picket::registry_sim {

/// Sees every commit, every answer and every replica, and says what must not be (registry.md 8). The first
/// violation counts.
class checker {
public:
  explicit checker(memory_store& store)
      : store_{store} {}

  /// From the store, when a batch was committed.
  void committed(std::uint64_t revision, const store::registry_batch& batch);
  /// The store is an old copy from now on, as `before` was it up to now.
  void went_back(std::unique_ptr<memory_store> before);

  void asked(const protocol::request_id& request);
  void answered(const protocol::request_id& request, const registry::propose_answer& answer, node& by);
  void outcome(const protocol::request_id& request, const registry::outcome_answer& answer);
  /// The node died with the attempt.
  void unanswered(const protocol::request_id& request);

  /// After each step: one node's replica.
  void look_at(node& one);
  void crashed(const node& one) { seen_.erase(one.number()); }
  /// When everything has come to rest.
  void at_the_end();

  const std::string& violation() const noexcept { return violation_; }
  std::size_t commits() const noexcept { return commits_; }
  std::size_t open_attempts(const protocol::request_id& request) const;
  std::size_t open_attempts() const;

private:
  struct fate {
    std::size_t open = 0;     ///< attempts without an answer
    bool may_be_done = false; ///< an attempt ended as unknown, or its node died
    bool surely_not = false;  ///< an attempt ended so
    bool never = false;       ///< an outcome said so
    std::optional<protocol::command_result> acknowledged;
  };
  struct decided {
    std::uint64_t revision = 0;
    protocol::command_result result;
  };
  struct sighting {
    std::uint64_t epoch = 0;
    store::replica_mark mark;
  };

  void violate(const std::string& what);
  void check_agents(const store::registry_batch& batch);
  void rebuild();
  /// Whether a batch of this or an earlier epoch decided it so; its revision.
  std::optional<std::uint64_t> decided_so(const protocol::request_id& request,
                                          const protocol::command_result& result) const;

  memory_store& store_;
  std::map<std::uint64_t, std::unique_ptr<memory_store>> older_; ///< by epoch
  std::map<protocol::request_id, decided> log_; ///< of the present epoch and what it came from
  /// Lost by what the operator did. A repeat in a later epoch may come to something else.
  std::multimap<protocol::request_id, decided> rolled_back_;
  std::map<protocol::request_id, fate> fates_;
  protocol::head_row head_;
  std::map<agent_id, std::string> agents_;
  std::set<agent_id> given_;
  std::map<int, sighting> seen_;
  std::size_t commits_ = 0;
  std::string violation_;
};

std::string to_text(const protocol::request_id& request);

} // namespace picket::registry_sim
