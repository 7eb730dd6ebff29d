#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "store/lmdb/lmdb_env.hpp"
#include "store/registry/changes.hpp"
#include "store/registry/view.hpp"

namespace picket::store {

struct registry_options {
  std::uint64_t limit_bytes = 64ULL << 30U;
  durability sync = durability::full;
  bool fresh_rows = true; ///< a fresh one gets the group `default`; a copy gets it from the store
};

class registry_environment;

/// Reads at one moment, on one thread. Keep it short: it holds pages, and a commit on the same thread waits
/// for it when the map must grow. Holds its environment, also after another one took its place.
class registry_snapshot final : public registry_view {
public:
  protocol::head_row head() const override;
  std::optional<protocol::agent_row> agent(agent_id id) const override;
  std::optional<agent_id> agent_by_name(std::string_view name) const override;
  std::optional<agent_id> agent_by_address(std::string_view address) const override;
  std::size_t agent_count() const override;
  std::optional<protocol::removed_row> removed(agent_id id) const override;
  std::optional<protocol::group_row> group(std::string_view name) const override;
  std::size_t group_count() const override;
  std::vector<agent_id> members(std::string_view group, std::size_t limit) const override;
  std::optional<protocol::command_result> outcome(const protocol::request_id& id) const override;
  std::optional<log_facts> logged(std::uint64_t sequence) const override;

  /// Agents from `first` on in the order of their ids, until `visit` answers false.
  void each_agent(agent_id first,
                  const std::function<bool(agent_id, const protocol::agent_row&)>& visit) const;
  void each_removed(const std::function<bool(agent_id, const protocol::removed_row&)>& visit) const;
  std::vector<std::string> groups() const;

  /// Where these tables stand in the store.
  replica_mark mark() const;
  /// The head's row as stored; empty: there is none yet.
  std::string head_bytes() const;
  /// Every row that the store has too, in the order of tables and keys; nothing that is derived.
  std::vector<row_write> all_rows() const;
  /// Walks the derived tables both ways. The first difference as a text; empty: none.
  std::string check_consistency() const;

private:
  friend class registry_environment;
  registry_snapshot(std::shared_ptr<const registry_environment> of, read_txn txn)
      : of_{std::move(of)}
      , txn_{std::move(txn)} {}
  std::string check_links() const;
  std::string check_requests() const;

  std::shared_ptr<const registry_environment> of_; ///< before the transaction, so that it outlives it
  read_txn txn_;
};

/// The registry's tables in one LMDB environment, with what is derived from them: agents by name and by
/// address, members of groups, outcomes of requests. Thread-safe: one writer, any number of readers.
class registry_environment : public std::enable_shared_from_this<registry_environment> {
public:
  /// Opens or makes it. Errors: io, corrupt, disk_full.
  static result<std::shared_ptr<registry_environment>> open(const std::filesystem::path& directory,
                                                            const registry_options& options);
  /// Removes its files if `discard_at_end` was called.
  ~registry_environment();

  /// Errors: io.
  result<registry_snapshot> read() const;

  /// Writes revisions in order and the mark, in one transaction. A row that does not decode refuses all of
  /// it. Errors: corrupt, disk_full, store_full, io; nothing is changed then.
  result<void> apply(const std::vector<revision_changes>& changes, const replica_mark& mark);

  /// Whether its files go with it.
  void discard_at_end() noexcept { discard_ = true; }
  void keep_at_end() noexcept { discard_ = false; }
  const std::filesystem::path& directory() const noexcept { return directory_; }
  std::uint64_t used_bytes() const;
  result<void> flush() { return env_.flush(); }
  /// A copy of this moment in an empty directory, as a power cut after it would leave it.
  result<void> copy_to(const std::filesystem::path& directory) const { return env_.copy_to(directory); }

private:
  friend class registry_snapshot;
  registry_environment(lmdb_env env, std::filesystem::path directory);
  result<void> open_tables(const registry_options& options);
  result<void> apply_row(write_txn& txn, const row_write& write);
  result<void> apply_agent(write_txn& txn, const row_write& write);
  result<void> apply_log(write_txn& txn, const row_write& write);
  result<void> apply_plain(write_txn& txn, table to, const row_write& write);
  result<void> unlink_agent(write_txn& txn, agent_id id, const protocol::agent_row& row);
  result<void> link_agent(write_txn& txn, agent_id id, const protocol::agent_row& row);

  lmdb_env env_;
  std::filesystem::path directory_;
  table agents_, removed_, groups_, log_, other_, meta_, names_, addresses_, members_, requests_;
  std::atomic<bool> discard_{false};
};

} // namespace picket::store
