#pragma once

#include "engine/api.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::engine {

/// What a line became: the answer of a log-test session.
struct logtest_answer {
  struct rule_shown {
    std::uint32_t id = 0;
    int level = 0;
    std::string description;
    std::vector<std::string> groups;
    std::optional<std::uint32_t> firedtimes; ///< nothing with no_counter
    std::optional<std::uint32_t> frequency;
    bool mail = false;
    mitre_names mitre; ///< empty tactics: none
    std::string info;
    std::string cve;
    std::vector<std::pair<std::string, std::vector<std::string>>>
        compliance; ///< for example ("pci_dss", {"10.2.4"})
  };

  std::optional<std::string> program_name; ///< predecoder, as alerts show it
  std::optional<std::string> timestamp;
  std::optional<std::string> hostname;
  std::optional<std::string> decoder; ///< name; nothing: none
  std::optional<std::string> parent;
  std::string data = "{}"; ///< JSON object of the decoded fields
  std::optional<rule_shown> rule;
  bool alert = false;
  bool refused = false; ///< the live engine drops the event before the rules
  std::string document; ///< JSON of the alert or, without one, of the archived event; no line end
  std::string text;     ///< block of alerts.log, if there is an alert
};

/// Analyses lines one after the other, with memory of its own: windows, first-time-seen, counters. Time is
/// injected.
class logtest_session {
public:
  /// `path`: rules.md 9. `manager_name`: the node's own name in answers.
  logtest_session(std::shared_ptr<const ruleset> rules, analysis_path path,
                  std::string manager_name = "picket");
  ~logtest_session();
  logtest_session(logtest_session&&) noexcept;
  logtest_session& operator=(logtest_session&&) noexcept;

  /// One line from a location: a path, or "[id] (name) ip->path" for an event of an agent (decoders.md 3.6).
  /// Errors: invalid_argument if the location begins with `[` and lacks `]`.
  result<logtest_answer> run(std::string_view line, std::string_view location, std::int64_t arrival_ms,
                             std::int32_t utc_offset_s = 0, trace* listener = nullptr);
  /// One line with a source of the caller's, which must outlive the call.
  logtest_answer run(std::string_view line, const source& from, std::int64_t arrival_ms,
                     std::int32_t utc_offset_s = 0, trace* listener = nullptr);

  const ruleset& rules() const;
  const shard_state& state() const;
  shard_state& state();
  const engine_counters& counters() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace picket::engine
