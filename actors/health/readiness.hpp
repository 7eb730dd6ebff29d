#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace picket {

/// One disk that the node writes to.
struct disk_facts {
  std::string of; ///< "journal", "data", "runtime"
  std::string directory;
  std::string problem; ///< why nothing is known of it; empty: it was asked
  std::int64_t free_bytes = 0;
  std::int64_t least_bytes = 0; ///< with less the node takes no more
};

/// What a node is judged by, of one moment.
struct health_facts {
  std::optional<std::int64_t> oldest_age_ms; ///< of the oldest record that is not analysed
  std::int64_t journal_failing_ms = 0;       ///< its writes have been refused for so long; 0: they are not
  std::int64_t journal_busy_ms = 0;          ///< one write has taken so long
  std::string journal_why;
  std::vector<disk_facts> disks;
  bool no_room = false; ///< nothing is read from agents for want of room
  std::uint64_t overflow_batches = 0;
  std::int64_t dispatcher_silent_ms = 0; ///< it was asked and has not answered for so long
  std::uint64_t paused_connections = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0; ///< 0: unknown
  std::string registry_problem;      ///< why it cannot be read; empty: it can
  bool draining = false;             ///< an operator wants no new agents here
};

/// One thing that is not as it should be, in words.
struct finding {
  std::string what; ///< a sentence without a full stop
  std::string mend; ///< what to do about it
  bool stops_ingest = false;
  bool stops_control = false;
};

struct readiness_limits {
  std::int64_t stuck_ms = 60'000;   ///< a record that is older and not analysed: the analysis is stuck …
  std::int64_t unstuck_ms = 30'000; ///< … until the oldest is younger than this
  std::int64_t late_ms = 10'000;    ///< worth a word
  std::int64_t journal_failing_ms = 2'000; ///< so long must it fail …
  std::int64_t calm_ms = 5'000;            ///< … and so long must it be fine again; likewise the pool
  std::int64_t disk_hangs_ms = 15'000;     ///< one write that takes longer
  std::int64_t silent_ms = 15'000;         ///< a part that does not answer for so long
  std::int64_t no_room_ms = 2'000;         ///< so long must there be no room at all
};

/// Judges whether a node is fit for traffic and what should worry its operator. Pure; it remembers what was
/// wrong, so that nothing flaps: what stops a node holds until it is clearly over.
class readiness {
public:
  explicit readiness(readiness_limits limits = {})
      : limits_{limits} {}

  /// `now_ms`: a clock that never goes back. What stops ingest comes first, then what stops changes, then
  /// what is only worth a word.
  std::vector<finding> judge(const health_facts& facts, std::int64_t now_ms);

private:
  /// On when `bad` has held for `on_ms`, off when it has not held for `off_ms`.
  class latch {
  public:
    bool update(bool bad, std::int64_t now_ms, std::int64_t on_ms, std::int64_t off_ms);

  private:
    bool on_ = false;
    std::int64_t since_ms_ = 0; ///< of the state that is not the one shown yet
    bool turning_ = false;
  };

  void judge_analysis(const health_facts& facts, std::vector<finding>& into);
  void judge_journal(const health_facts& facts, std::int64_t now_ms, std::vector<finding>& into);
  void judge_disks(const health_facts& facts, std::vector<finding>& into);
  void judge_room(const health_facts& facts, std::int64_t now_ms, std::vector<finding>& into);
  static void judge_rest(const health_facts& facts, std::vector<finding>& into);

  readiness_limits limits_;
  bool stuck_ = false;
  latch journal_;
  latch room_;
  std::vector<std::pair<std::string, bool>> full_; ///< disks, by name
};

/// The reason of a node that is told to take no new agents, as health pages say it.
inline constexpr const char* draining_reason = "draining";
/// Puts that reason in front, or takes it away, where what was found is older than the operator's word.
void apply_drain(bool draining, std::vector<finding>& findings);

/// The first reason against ingest, or against changes; empty: none.
std::string why_no_ingest(const std::vector<finding>& findings);
std::string why_no_control(const std::vector<finding>& findings);

} // namespace picket
