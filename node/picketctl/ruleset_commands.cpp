#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/ruleset_check.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace picket::ctl {

namespace {

struct check_arguments {
  std::string directory;
  bool strict = false;
  bool notes = false;
};

exit_code check(session& with, const check_arguments& given) {
  auto files = read_ruleset(given.directory);
  if (!files) {
    complain(with, files.error());
    return exit_code::no;
  }
  auto report = check_ruleset(std::move(*files), {});
  if (with.options.json) {
    with.out << pretty(report_json(report, given.notes));
  } else {
    auto findings = findings_text(report, given.notes);
    with.out << findings << (findings.empty() ? "" : "\n") << summary_text(report);
  }
  bool clean = report.errors == 0 && (!given.strict || report.warnings == 0);
  return clean ? exit_code::ok : exit_code::no;
}

} // namespace

void add_ruleset_commands(command_table& table) {
  auto& group = table.add_group("ruleset", "Decoders, rules and lists");
  auto given = std::make_shared<check_arguments>();
  auto& command =
      table.add(group, "check", "Show every error and warning of a rule set; exit code 1 if it does not load",
                [&table, given] { return check(table.with, *given); });
  command
      .add_option("DIR", given->directory,
                  "Directory with decoders/, rules/ and lists/ (default: our own rule set)")
      ->type_name(directory_type);
  command.add_flag("--strict", given->strict, "Let warnings fail as well");
  command.add_flag("--notes", given->notes, "Show notes too: what is odd and harmless");
}

} // namespace picket::ctl
