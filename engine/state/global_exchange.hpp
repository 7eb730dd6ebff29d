#pragma once

#include "engine/plain/rules.hpp"
#include "engine/state/global_windows.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace picket::engine {

/// A remembered event on its way to the owner of global windows. Names in place of numbers: the owner may
/// have another rule set.
struct global_entry {
  struct target {
    std::string content; ///< `window_index::content`
    std::string key;
    std::uint32_t times = 1;
  };
  std::uint32_t rule_id = 0;
  std::int64_t second = 0;
  std::int32_t mark = 0;
  event_type type = event_type::syslog;
  bool has_dynamics = false;
  std::string agent;
  std::string full_log;
  std::string log;
  std::vector<std::pair<std::string, std::string>> values; ///< (operand name, value)
  std::vector<target> targets;
};

/// What a node asks of the owner of a global window, or has it enter (engine.md 1.5).
struct global_operation {
  std::uint32_t event = 0; ///< index in the batch
  std::uint64_t owner = 0; ///< as `global_windows::owner_of` says
  bool ask = false;
  std::uint32_t composite = 0; ///< rule id
  std::string content;
  std::string key;
  std::int64_t second = 0;
  std::optional<global_entry> asking;   ///< the event's values, for comparisons of single entries
  std::optional<global_entry> if_holds; ///< entered when the look-back holds
  std::optional<global_entry> if_fails; ///< entered when it fails, or (without `ask`) in any case
};

/// Answers by (event, rule id of the composite, key).
struct global_answers {
  using question = std::tuple<std::uint32_t, std::uint32_t, std::string>;
  std::map<question, window_answer> known;
  std::set<std::pair<std::uint32_t, std::uint64_t>>
      entered; ///< (event, owner) that an answer entered already
};

/// The owner's part: answers the questions among `operations` and enters what they bring, in order. One
/// answer per question. A rule that this rule set does not have does not hold.
std::vector<window_answer> answer_operations(std::span<const global_operation> operations,
                                             const ruleset& rules, global_windows& windows);

} // namespace picket::engine
