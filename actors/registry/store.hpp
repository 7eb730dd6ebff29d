#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/registry/changes.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::registry {

enum class commit_status : std::uint8_t {
  committed,
  conflict,      ///< the head is another one; decide again on the new view
  no_space,      ///< surely not done: the store is full
  too_large,     ///< surely not done: the store takes no transaction of this size
  wrong_cluster, ///< surely not done: this is not the store that the replica is of
  unavailable,   ///< surely not done
  unknown        ///< may be done, now or later, until another batch is committed
};

struct commit_outcome {
  commit_status status = commit_status::unavailable;
  std::uint64_t revision = 0; ///< of the commit, or of the head that was in the way
  error why;                  ///< where it was not committed
};

/// What a batch was decided on: the guard. The row tells apart two heads that have one revision because
/// somebody put an old copy of the store in its place.
struct expected_head {
  std::uint64_t revision = 0; ///< at which the head was written; 0: there must be none
  std::string row;            ///< as stored

  friend bool operator==(const expected_head&, const expected_head&) = default;
};

enum class read_status : std::uint8_t { fine, compacted, unavailable, wrong_cluster };

/// The head at a moment between question and answer.
struct head_answer {
  read_status status = read_status::unavailable;
  expected_head head;               ///< revision 0 and no row: there is none
  std::uint64_t store_revision = 0; ///< newest of the store, also of what is not ours
  error why;
};

/// Where a load goes on; the default is its beginning.
struct load_position {
  std::uint64_t revision = 0; ///< of the first page; 0: the newest
  std::string after;          ///< last key that was read, as the store spells it
};

struct load_page {
  read_status status = read_status::unavailable; ///< compacted: begin anew
  std::uint64_t revision = 0;                    ///< of all pages of this load
  std::vector<store::row_write> rows;
  std::optional<std::uint64_t> head_revision; ///< if the head is among the rows
  std::string after;
  bool last = false;
  error why;
};

enum class watch_end : std::uint8_t {
  compacted,     ///< the changes asked for are gone: load anew
  lost,          ///< the connection; go on from where it was
  wrong_cluster, ///< this is not the store that was asked for
};

struct stream_step {
  std::vector<store::revision_changes> changes; ///< whole revisions in order; empty: nothing yet
  std::optional<watch_end> end;                 ///< nothing follows
  error why;
};

/// Committed changes as they come. Called from one thread.
class change_stream {
public:
  virtual ~change_stream() = default;
  /// Waits up to `limit_ms` for something to give. A stream that stalls says nothing of it: whoever reads it
  /// compares with `head`.
  virtual stream_step next(std::int64_t limit_ms) = 0;
};

inline constexpr std::size_t load_page_rows = 4'000;

/// What a back end of the registry is (registry.md 2.2). Blocking; called from the registry's own threads,
/// each function also beside the others. Its revisions only grow; each commit takes one.
class registry_store {
public:
  virtual ~registry_store() = default;

  /// Commits the batch if the head is still the expected one; all or nothing.
  virtual commit_outcome commit(const expected_head& expected, const store::registry_batch& batch,
                                std::int64_t limit_ms) = 0;
  /// Linearizable: what was committed before the question is in the answer.
  virtual head_answer head(std::int64_t limit_ms) = 0;
  /// All rows at one revision, page after page.
  virtual load_page load(const load_position& from, std::int64_t limit_ms) = 0;
  /// Changes from this revision on. Never null; what cannot be is said by its first step.
  virtual std::unique_ptr<change_stream> changes(std::uint64_t from) = 0;
  /// Name for status pages.
  virtual std::string_view name() const noexcept = 0;
};

/// The registry of a single node: the replica's own tables, no other process. Commits wait for the disk.
/// Its revisions are the head's sequence numbers.
class embedded_store final : public registry_store {
public:
  explicit embedded_store(store::registry_tables& tables)
      : tables_{tables} {}
  commit_outcome commit(const expected_head& expected, const store::registry_batch& batch,
                        std::int64_t limit_ms) override;
  head_answer head(std::int64_t limit_ms) override;
  /// One page with all rows: they are this process's own.
  load_page load(const load_position& from, std::int64_t limit_ms) override;
  /// The last `ring_limit` batches of this process, or fewer large ones; what was before them is `compacted`.
  std::unique_ptr<change_stream> changes(std::uint64_t from) override;
  std::string_view name() const noexcept override { return "embedded"; }

  static constexpr std::size_t ring_limit = 64;
  static constexpr std::size_t ring_limit_bytes = 1U << 20U;

private:
  class stream;
  store::registry_tables& tables_;
  std::mutex mutex_;
  std::deque<store::revision_changes> ring_; ///< consecutive revisions
  std::size_t ring_bytes_ = 0;
};

} // namespace picket::registry
