#pragma once

#include <string>
#include <vector>

#include "engine/load/ruleset.hpp"
#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// What checking a rule set found.
struct ruleset_report {
  std::vector<engine::ruleset_file> files;
  engine::compiled compiled; ///< its diagnostics sorted by file, line and column
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t notes = 0;
};

ruleset_report check_ruleset(std::vector<engine::ruleset_file> files, const engine::compile_options& options);

/// Findings with the line of the file and a `^` under the column. `notes`: those too.
std::string findings_text(const ruleset_report& report, bool notes);
/// Files, decoders, rules, lists, elements not evaluated; the number of findings.
std::string summary_text(const ruleset_report& report);
json report_json(const ruleset_report& report, bool notes);

} // namespace picket::ctl
