#pragma once

#include "engine/load/ruleset.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace picket::engine {

/// firedtimes and the ignore stamp of one rule, for all agents of the node (rules.md 3.5, 4.9).
class rule_counters {
public:
  /// Counts a verdict and gives the value to show. `hour` is the number of the local hour of the event: a
  /// later one than the last begins again at 1. Thread-safe.
  std::uint32_t fire(std::uint32_t hour) noexcept;

  enum class ignored { no, yes };
  /// The ignore window of the live engine: inside it `yes`, else the window begins anew at `now_s`.
  /// Thread-safe.
  ignored enter_ignore_window(std::int64_t now_s, std::uint32_t ignore_s) noexcept;
  /// The ignore window of log-test: a window that is over is only forgotten (rules.md 9).
  ignored enter_ignore_window_of_logtest(std::int64_t now_s, std::uint32_t ignore_s) noexcept;

private:
  std::atomic<std::uint64_t> fired_{0}; ///< hour in the upper half, count in the lower
  std::atomic<std::int64_t> stamp_{0};
};

/// Counters of all rules of one rule set, by rule index.
struct counter_table {
  std::string digest;
  std::vector<std::shared_ptr<rule_counters>> by_rule;
};

/// What is counted per node and not per shard. Thread-safe.
class node_state {
public:
  /// The counters for a rule set. A rule with the same id and digest as in an earlier rule set goes on
  /// counting.
  std::shared_ptr<const counter_table> table_for(const ruleset& rules);

private:
  struct slot {
    std::uint64_t digest = 0;
    std::shared_ptr<rule_counters> counters;
  };
  std::mutex mutex_;
  std::vector<std::shared_ptr<const counter_table>> tables_; ///< newest last, at most two
  std::unordered_map<std::uint64_t, slot> slots_; ///< by rule id and how often it was defined before
};

} // namespace picket::engine
