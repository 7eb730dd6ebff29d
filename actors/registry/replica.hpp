#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/registry/answers.hpp"
#include "actors/registry/batcher.hpp"
#include "actors/registry/store.hpp"

namespace picket::registry {

struct replica_options {
  std::string cluster;                   ///< names the store that this is a copy of; not empty
  std::int64_t stall_limit_ms = 1'000;   ///< so long the watch may give nothing while it is behind
  std::int64_t retry_pause_ms = 100;     ///< after a head, a page or a watch that failed
  std::int64_t damaged_pause_ms = 5'000; ///< after a row that does not decode, or a disk that fails
  std::size_t transaction_rows = 2'000;  ///< of one LMDB transaction, or one revision
  std::size_t transaction_bytes = 1U << 20U;
};

/// What the replica wants of the store next. A result is handed back with the number of its wish; results of
/// older wishes are not looked at.
struct replica_wish {
  enum class kind : std::uint8_t { head, load, watch };
  kind what = kind::head;
  std::uint64_t number = 0;
  std::int64_t not_before_ms = 0;
  load_position page;           ///< of `load`
  std::uint64_t watch_from = 0; ///< of `watch`
  std::uint64_t endpoint = 0;   ///< grows when another member should be asked
};

/// What went wrong with the store as a whole; for alarms.
enum class replica_alarm : std::uint8_t { none, store_went_back, wrong_cluster, stalled, damaged };

/// This node's copy of a shared registry (registry.md 4): follows the store by its watch, loads it anew where
/// that cannot be, and takes own writes at once. A core that only steps: whoever drives it asks for its wish,
/// does that with the store, and hands the result in, all in one thread or under one lock. Readers read the
/// tables meanwhile, from any thread.
class replica : public decision_ground {
public:
  /// Called after each change of the tables, in order of revisions. After a switch to tables that were loaded
  /// anew `rows` is empty and `anew` true: whoever keeps anything reads it again.
  using listener = std::function<void(const registry_changes&, bool anew)>;

  replica(store::registry_tables& tables, replica_options options, listener tell = {});

  const replica_wish& wish() const noexcept { return wish_; }
  void took_head(std::uint64_t wish, const head_answer& answer, std::int64_t now_ms);
  void took_page(std::uint64_t wish, const load_page& page, std::int64_t now_ms);
  void took_changes(std::uint64_t wish, const stream_step& step, std::int64_t now_ms);

  /// Where the replica stood when a probe was sent; what it answers is compared with that.
  struct probe_mark {
    store::replica_mark mark;
    std::uint64_t era = 0; ///< number of the last switch to tables that were loaded anew
  };
  probe_mark probe_start() const { return {mark_, era_}; }
  /// The answer of a probe: finds a watch that stalls and a store that went back.
  void probed(const probe_mark& start, const head_answer& answer, std::int64_t now_ms);

  // As the ground of decisions.
  result<void> look(const looker& look) override;
  bool take_own(const expected_head& expected, std::uint64_t revision,
                const store::registry_batch& batch) override;
  std::uint64_t applied() override { return mark_.applied; }
  void doubt(const expected_head& expected) override;

  bool loading() const noexcept { return stage_ != stage::watching; }
  /// Whether there is anything to read yet.
  bool usable() const noexcept { return mark_.cluster == options_.cluster; }
  store::replica_mark mark() const { return mark_; }
  replica_alarm take_alarm() { return std::exchange(alarm_, replica_alarm::none); }
  std::optional<error> take_failure() { return std::exchange(failure_, std::nullopt); }

protected:
  /// Whether these changes are not in the tables yet. Own writes come again by the watch.
  virtual bool is_new(std::uint64_t revision, std::uint64_t applied) const { return revision > applied; }

private:
  /// loading_head, pages, confirming: the head before and after the pages must be of one epoch, or the store
  /// was replaced meanwhile. catching_up: changes go to the new tables until they are not behind the old
  /// ones.
  enum class stage : std::uint8_t { loading_head, pages, confirming, catching_up, watching };

  void want(replica_wish::kind what, std::int64_t not_before_ms = 0);
  void load_anew(replica_alarm why, std::int64_t not_before_ms);
  void pause(const error& why, std::int64_t now_ms);
  result<void> write_page(const load_page& page);
  void finish_load(std::int64_t now_ms);
  void switch_over(std::int64_t now_ms);
  /// The tables that changes go to, as far as the next change must fit them.
  struct fed_tables {
    store::replica_mark mark;
    protocol::head_row head;
    std::string head_bytes; ///< empty: as it was
  };
  bool take_revisions(const std::vector<store::revision_changes>& changes, std::int64_t now_ms);
  bool write(std::vector<store::revision_changes>& group, const fed_tables& after, std::int64_t now_ms);
  static bool follows(const store::revision_changes& one, const fed_tables& before);
  void forget_stall() { behind_since_ms_ = 0; }

  store::registry_tables& tables_;
  replica_options options_;
  listener tell_;
  stage stage_ = stage::loading_head;
  replica_wish wish_;
  store::replica_mark mark_; ///< of the tables that readers see
  protocol::head_row head_;  ///< theirs as well
  std::string head_bytes_;
  std::uint64_t era_ = 0;
  bool replaced_ = false; ///< what is loaded takes the tables' place also if it is older than they are

  std::shared_ptr<store::registry_environment> loaded_;
  store::replica_mark loaded_mark_;
  protocol::head_row loaded_head_;
  std::uint64_t epoch_before_ = 0; ///< of the head that was asked for before the pages

  std::int64_t behind_since_ms_ = 0; ///< 0: not behind
  std::uint64_t behind_at_ = 0;      ///< the head's revision there
  replica_alarm alarm_ = replica_alarm::none;
  std::optional<error> failure_;
};

} // namespace picket::registry
