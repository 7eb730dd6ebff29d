#pragma once

#include "engine/load/diagnostic.hpp"
#include "engine/load/rules.hpp"

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace picket::engine {

/// ATT&CK techniques and tactics: id to names. Read from a text table of ours, one entry a line, fields
/// separated by tabs, `#` begins a comment line:
///   tactic     TA0006  Credential Access
///   technique  T1110   Brute Force  TA0006[,TA…]
/// Tactics of a technique are kept in the order given.
class technique_table {
public:
  struct technique {
    std::string name;
    std::vector<std::string> tactic_ids;
  };

  /// Adds the entries of one file; lines that are none give warnings.
  void add_file(std::string_view file, std::string_view bytes, diagnostics& out);

  const technique* find(std::string_view id) const;
  /// Name of a tactic; empty if unknown.
  std::string_view tactic_name(std::string_view id) const;
  std::size_t size() const noexcept { return techniques_.size(); }

  /// What alerts show for the ids of a rule (rules.md 6.8).
  mitre_names expand(const mitre_ids& ids) const;

private:
  void add_line(std::string_view file, int line_number, std::string_view line, diagnostics& out);
  void expand_pairs(const mitre_ids& ids, mitre_names& names) const;

  std::unordered_map<std::string, technique> techniques_;
  std::unordered_map<std::string, std::string> tactics_;
};

} // namespace picket::engine
