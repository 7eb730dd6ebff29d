#pragma once

#include <atomic>

#include "actors/registry/etcd_client.hpp"
#include "actors/registry/store.hpp"
#include "protocol/etcd/gateway.hpp"

namespace picket::registry {

struct etcd_store_options {
  etcd_access access;
  std::string cluster;            ///< this registry's own name; keys lie below "/picket/<cluster>/"
  std::uint64_t etcd_cluster = 0; ///< etcd's number of its cluster; 0: that of the first answer
};

/// The registry in etcd (registry.md 1.1, 3, 4), by its JSON gateway. A connection each for commits, probes,
/// loads and the watch, so that none waits for another.
class etcd_store final : public registry_store {
public:
  explicit etcd_store(etcd_store_options options);

  commit_outcome commit(const expected_head& expected, const store::registry_batch& batch,
                        std::int64_t limit_ms) override;
  head_answer head(std::int64_t limit_ms) override;
  load_page load(const load_position& from, std::int64_t limit_ms) override;
  /// From the next member each time: whoever asks again was not content with the last one.
  std::unique_ptr<change_stream> changes(std::uint64_t from) override;
  std::string_view name() const noexcept override { return "etcd"; }

  /// etcd's number of its cluster; 0: nobody has answered yet.
  std::uint64_t etcd_cluster() const noexcept { return etcd_cluster_.load(); }
  /// The member that the next commit goes to.
  std::string endpoint() const { return writer_.endpoint(); }

  /// Whole revisions from the events of one message. Keys that are not below the prefix are passed over.
  static std::vector<store::revision_changes> revisions_of(const std::string& prefix,
                                                           const std::vector<protocol::etcd::event>& events);

  /// Of a page; halved whenever an answer was above the client's limit.
  std::atomic<std::size_t> page_rows{load_page_rows};

private:
  class stream;
  bool is_ours(std::uint64_t etcd_cluster);
  std::string key_of_row(store::registry_table table, std::string_view key) const;

  etcd_store_options options_;
  std::string prefix_; ///< of the tables
  etcd_connection writer_;
  etcd_connection prober_;
  etcd_connection loader_;
  std::atomic<std::size_t> watches_{0};
  std::atomic<std::uint64_t> etcd_cluster_;
};

} // namespace picket::registry
