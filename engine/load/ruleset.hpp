#pragma once

#include "engine/load/decoders.hpp"
#include "engine/load/diagnostic.hpp"
#include "engine/load/rule_reader.hpp"
#include "engine/load/rule_tree.hpp"
#include "engine/load/rules.hpp"
#include "engine/load/ruleset_files.hpp"
#include "engine/load/techniques.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace picket::engine {

/// Settings that become part of a compiled rule set.
struct compile_options {
  rule_options rules;
  std::size_t places_max = 1'000'000; ///< of rules in the tree; more refuse the rule set
  /// Most entries of a window whose composites have `different_*`, whose look-backs may have to skip entries.
  std::uint32_t different_entries_max = 512;
  /// Most entries that `if_matched_regex` can look through, per agent (`memory_size` of the reference).
  std::uint32_t all_events_max = 8192;
};

/// Windows that composites share which agree in list, compared fields and scope (engine.md 3.6).
struct window_index {
  std::uint32_t list = 0;
  bool global = false;      ///< scope: all agents, not one
  bool all_events = false;  ///< entries are compared one by one; only the agent is in the key
  std::vector<operand> key; ///< same_* and same_field, sorted
  std::uint32_t entries_max = 1;
  std::uint32_t timeframe_s = 0;
  /// Says the same in words: equal text, equal window, also in another rule set.
  std::string content;
};

/// A window index that a verdict is entered in, and how many times (rules.md 4.1).
struct window_feed {
  std::uint32_t index = 0;
  std::uint32_t times = 1;
};

/// Figures of a rule set, for people and for tests.
struct ruleset_summary {
  std::size_t files = 0;
  std::size_t decoders = 0;
  std::size_t rules_read = 0; ///< `<rule>` elements
  std::size_t rules = 0;      ///< that stand in the tree
  std::size_t rules_dropped = 0;
  std::size_t overwrites = 0;
  std::size_t composites = 0;
  std::size_t places = 0;
  std::size_t lists = 0;
  rule_element_counts counts;
};

/// A compiled rule set. Immutable; read by any number of threads without a lock.
struct ruleset {
  compile_options options;
  std::string digest; ///< of the files and their order, 32 hex digits
  decoder_tree decoders;
  list_table lists;
  slot_names slots;
  rule_tree tree;
  std::vector<window_index> indexes;
  std::vector<std::vector<window_feed>> feeds; ///< by rule index: what a verdict of the rule is entered in
  std::vector<operand> stored;                 ///< values that remembered events must keep
  bool keeps_logs = false;                     ///< remembered events keep `log` as well, for if_matched_regex
  ruleset_summary summary;

  const rule* find_rule(std::uint32_t id) const { return tree.find(id); }
};

struct compiled {
  std::shared_ptr<const engine::ruleset> ruleset; ///< null exactly if a diagnostic is an error
  engine::diagnostics diagnostics;
};

/// Reads, checks and compiles a whole rule set. Collects every diagnostic; throws for nothing that is in the
/// files. Decoder and rule files are taken in the order of their base names (decoders.md 1.1, rules.md 1.1),
/// files of equal base name in the order given. Same files in the same order: same digest, same behaviour.
compiled compile(std::span<const ruleset_file> files, const compile_options& options = {});

} // namespace picket::engine
