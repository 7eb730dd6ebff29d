#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>

#include "store/registry/registry_environment.hpp"

namespace picket::store {

/// The registry as every reader of this node sees it: one environment, which another one may replace while
/// readers go on. `directory` holds the first; what was loaded anew lies in `load-N/` below it, and the file
/// `current` names the one that counts. Thread-safe: one writer, any number of readers.
class registry_tables {
public:
  using snapshot = registry_snapshot;

  /// Opens what `current` names, or makes the first one, and removes what a broken load left behind.
  /// Errors: io, corrupt, disk_full.
  static result<std::unique_ptr<registry_tables>> open(const std::filesystem::path& directory,
                                                       const registry_options& options = {});

  /// Errors: io.
  result<snapshot> read() const;

  /// Commits a batch of a registry that has no other store. Errors: disk_full, store_full, io; nothing is
  /// changed then.
  result<void> commit(const registry_batch& batch);

  /// Applies changes of the store. Errors as `registry_environment::apply`.
  result<void> apply(const std::vector<revision_changes>& changes, const replica_mark& mark);

  /// An empty environment beside the current one. Errors: io, disk_full.
  result<std::shared_ptr<registry_environment>> begin_load();
  /// Makes it the current one, in one step also for a crash; the old one goes with its last reader.
  /// Errors: io, disk_full; the old one stays then.
  result<void> switch_to(std::shared_ptr<registry_environment> loaded);

  /// Walks the derived tables both ways. The first difference as a text; empty: none. For tests and `doctor`.
  std::string check_consistency() const;

  /// What its file has come to; 0 if that is not known.
  std::uint64_t used_bytes() const;

  /// Grows with each commit; a reader that remembers it knows whether a row may have changed.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  std::shared_ptr<registry_environment> environment() const;

private:
  registry_tables(std::filesystem::path directory, registry_options options);

  std::filesystem::path directory_;
  registry_options options_;
  std::uint64_t loads_ = 0; ///< number of the newest `load-N`
  mutable std::mutex mutex_;
  std::shared_ptr<registry_environment> current_;
  std::atomic<std::uint64_t> generation_{1};
};

} // namespace picket::store
