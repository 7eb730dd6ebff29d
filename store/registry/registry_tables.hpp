#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>

#include "base/error.hpp"
#include "store/lmdb/lmdb_env.hpp"
#include "store/registry/view.hpp"

namespace picket::store {

/// One batch as it is committed: all or nothing.
struct registry_batch {
  std::vector<row_write> writes;
  protocol::head_row head;
  protocol::log_row log;
};

/// Rows of the log and outcomes of requests that are kept.
inline constexpr std::uint64_t kept_log_rows = 65'536;

/// The registry's tables in LMDB (environment `state/`), with what is derived from them: agents by name and
/// by address, members of groups, outcomes of requests. Thread-safe: one writer, any number of readers.
class registry_tables {
public:
  /// Opens or makes the environment. A fresh one has the group `default`. Errors: io, corrupt, disk_full.
  static result<std::unique_ptr<registry_tables>> open(const std::filesystem::path& directory,
                                                       std::uint64_t limit_bytes = 64ULL << 30U);
  ~registry_tables();

  /// Reads at one moment, on one thread. Keep it short: it holds pages, and `commit` on the same thread waits
  /// for it when the map must grow.
  class snapshot final : public registry_view {
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

    /// Agents from `first` on in the order of their ids, until `visit` answers false.
    void each_agent(agent_id first,
                    const std::function<bool(agent_id, const protocol::agent_row&)>& visit) const;
    void each_removed(const std::function<bool(agent_id, const protocol::removed_row&)>& visit) const;
    std::vector<std::string> groups() const;

  private:
    friend class registry_tables;
    snapshot(const registry_tables& tables, read_txn txn)
        : tables_{tables}
        , txn_{std::move(txn)} {}
    const registry_tables& tables_;
    read_txn txn_;
  };

  /// Errors: io.
  result<snapshot> read() const;

  /// Errors: disk_full, store_full, io; nothing is changed then.
  result<void> commit(const registry_batch& batch);

  /// Walks the derived tables both ways. The first difference as a text; empty: none. For tests and `doctor`.
  std::string check_consistency() const;

  /// What its file has come to; 0 if that is not known.
  std::uint64_t used_bytes() const;

  /// Grows with each commit; a reader that remembers it knows whether a row may have changed.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
  registry_tables(lmdb_env env);
  result<void> open_tables();
  result<void> apply_agent(write_txn& txn, const row_write& write);
  result<void> unlink_agent(write_txn& txn, agent_id id, const protocol::agent_row& row);
  result<void> link_agent(write_txn& txn, agent_id id, const protocol::agent_row& row);
  result<void> apply_log(write_txn& txn, const registry_batch& batch);

  lmdb_env env_;
  table agents_, removed_, groups_, log_, meta_, names_, addresses_, members_, requests_;
  std::atomic<std::uint64_t> generation_{1};
};

} // namespace picket::store
