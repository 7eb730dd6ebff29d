#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "actors/registry/batcher.hpp"
#include "actors/registry/etcd_store.hpp"
#include "actors/registry/replica.hpp"

namespace picket::etcd_contract {

/// The first batch of a registry: the group `default` and a head, where there must be none.
registry::commit_outcome seed(registry::registry_store& store);

/// One node's batcher and replica on etcd, driven by the test's own thread.
class driven_node {
public:
  driven_node(int number, const std::filesystem::path& directory, registry::etcd_store_options options);

  void add_agent(const std::string& name);
  /// Everything that it can do now.
  void step();

  registry::replica& copy() { return *copy_; }
  store::registry_tables& tables() { return *tables_; }

  std::map<std::string, registry::propose_answer> answers; ///< by the agent's name

private:
  void step_replica(std::int64_t now_ms);

  std::uint32_t number_;
  registry::etcd_store store_;
  std::unique_ptr<store::registry_tables> tables_;
  std::unique_ptr<registry::replica> copy_;
  std::unique_ptr<registry::batcher> commands_;
  std::unique_ptr<registry::change_stream> stream_;
  std::uint64_t watched_ = 0; ///< wish whose watch is open
  std::int64_t probe_at_ms_ = 0;
  std::uint64_t counter_ = 0;
};

} // namespace picket::etcd_contract
