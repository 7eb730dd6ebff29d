#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/registry/store.hpp"
#include "store/registry/key_text.hpp"

namespace picket::testing {

/// The registry's store as a map with revisions, for tests in one thread: answers at once and always rightly,
/// unless it was told otherwise. What happens on the way to it is `memory_wire`.
class memory_store final : public registry::registry_store {
public:
  /// Revision 1 has the group `default` and a head.
  explicit memory_store(std::uint64_t epoch = 0) {
    protocol::group_row group;
    protocol::head_row head;
    head.epoch = epoch;
    put({{store::registry_table::groups, "default", protocol::encode(group)},
         {store::registry_table::head, {}, protocol::encode(head)}});
  }

  registry::commit_outcome commit(const registry::expected_head& expected, const store::registry_batch& batch,
                                  std::int64_t) override {
    if (answer) return *answer;
    auto [found, row] = head_now();
    if (check_guard && (found != expected.revision || row != expected.row))
      return {registry::commit_status::conflict, found, {}};
    if (!fits(batch)) return {registry::commit_status::too_large, found, {}};
    put(rows_of(batch));
    if (on_commit) on_commit(revision_, batch);
    return {registry::commit_status::committed, revision_, {}};
  }

  registry::head_answer head(std::int64_t) override {
    auto [found, row] = head_now();
    return {registry::read_status::fine, {found, row}, revision_, {}};
  }

  registry::load_page load(const registry::load_position& from, std::int64_t) override {
    registry::load_page page;
    page.revision = from.revision == 0 ? revision_ : from.revision;
    page.after = from.after;
    page.status = page.revision < compacted_ || page.revision > revision_ ? registry::read_status::compacted
                                                                          : registry::read_status::fine;
    if (page.status != registry::read_status::fine) return page;
    auto at = from.revision == 0 ? rows_.begin() : rows_.upper_bound(from.after);
    for (; at != rows_.end() && page.rows.size() < page_rows; ++at) {
      page.after = at->first;
      const auto* seen = version_at(at->second, page.revision);
      if (seen == nullptr || !seen->row) continue;
      auto [table, key] = store::parse_key_text(at->first);
      if (table == store::registry_table::head) page.head_revision = seen->revision;
      page.rows.push_back({table, key, seen->row});
    }
    page.last = at == rows_.end();
    return page;
  }

  /// The changes from `next` on, at most `limit` revisions; moves `next` behind them.
  registry::stream_step read_changes(std::uint64_t& next, std::size_t limit) const {
    registry::stream_step step;
    if (next <= compacted_) {
      step.end = registry::watch_end::compacted;
      return step;
    }
    for (const auto& one : history_) {
      if (one.revision < next || step.changes.size() >= limit) continue;
      step.changes.push_back(one);
      next = one.revision + 1;
    }
    return step;
  }

  std::unique_ptr<registry::change_stream> changes(std::uint64_t from) override {
    return std::make_unique<stream>(*this, from);
  }
  std::string_view name() const noexcept override { return "memory"; }

  /// Forgets what was before this revision, as a store does by itself from time to time.
  void compact(std::uint64_t to) {
    compacted_ = std::max(compacted_, std::min(to, revision_));
    history_.erase(std::remove_if(history_.begin(), history_.end(),
                                  [&](const auto& one) { return one.revision <= compacted_; }),
                   history_.end());
  }

  /// What an operator does who puts an old copy in this store's place by `restore`: a new epoch, and ids that
  /// nobody had. `*this` must be that old copy.
  void restored() {
    auto row = *protocol::decode_head_row(head_now().second);
    row.epoch += 1;
    row.next_agent_id += 1'000;
    put({{store::registry_table::head, {}, protocol::encode(row)}});
  }

  /// A change that no batch made: what a newer version writes.
  void put(const std::vector<store::row_write>& rows) {
    ++revision_;
    for (const auto& row : rows)
      rows_[store::key_text(row.table, row.key)].push_back({revision_, row.row});
    history_.push_back({revision_, rows});
  }

  /// Rows as the store spells them, at a revision. Also of compacted ones: the test may know more.
  std::map<std::string, std::string> rows_at(std::uint64_t revision) const {
    std::map<std::string, std::string> all;
    for (const auto& [key, versions] : rows_)
      if (const auto* seen = version_at(versions, revision); seen != nullptr && seen->row)
        all[key] = *seen->row;
    return all;
  }
  std::uint64_t revision() const noexcept { return revision_; }
  std::uint64_t compacted() const noexcept { return compacted_; }

  bool check_guard = true;                        ///< false: a store that does not do its duty
  std::optional<registry::commit_outcome> answer; ///< to every commit, in place of doing it
  std::size_t page_rows = registry::load_page_rows;
  std::size_t most_operations = 128;
  /// Called after each commit.
  std::function<void(std::uint64_t revision, const store::registry_batch& batch)> on_commit;

private:
  struct version {
    std::uint64_t revision = 0;
    std::optional<std::string> row;
  };
  class stream final : public registry::change_stream {
  public:
    stream(memory_store& of, std::uint64_t from)
        : of_{of}
        , next_{from} {}
    registry::stream_step next(std::int64_t) override { return of_.read_changes(next_, 100); }

  private:
    memory_store& of_;
    std::uint64_t next_;
  };

  static const version* version_at(const std::vector<version>& all, std::uint64_t revision) {
    const version* found = nullptr;
    for (const auto& one : all)
      if (one.revision <= revision) found = &one;
    return found;
  }
  std::pair<std::uint64_t, std::string> head_now() const {
    auto found = rows_.find("head");
    if (found == rows_.end() || !found->second.back().row) return {};
    return {found->second.back().revision, *found->second.back().row};
  }
  /// Operations, with one for all of the log's trimming, and no key twice, as etcd demands.
  bool fits(const store::registry_batch& batch) const {
    std::set<std::pair<store::registry_table, std::string>> keys;
    for (const auto& write : batch.writes)
      if (!keys.insert({write.table, write.key}).second) return false;
    return batch.writes.size() + 2 + (batch.trim_log_to > batch.trim_log_from ? 1 : 0) <= most_operations;
  }

  std::map<std::string, std::vector<version>> rows_;
  std::vector<store::revision_changes> history_;
  std::uint64_t revision_ = 0;
  std::uint64_t compacted_ = 0;
};

} // namespace picket::testing
