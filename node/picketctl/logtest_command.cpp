#include <istream>
#include <memory>
#include <optional>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include "base/time.hpp"
#include "node/picketctl/command_line.hpp"
#include "node/picketctl/line_reader.hpp"
#include "node/picketctl/logtest_cases.hpp"
#include "node/picketctl/logtest_view.hpp"
#include "node/picketctl/moment.hpp"
#include "node/picketctl/ruleset_check.hpp"
#include "node/picketctl/text_table.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace picket::ctl {

namespace {

constexpr std::size_t cases_bytes_max = 256 * 1024 * 1024;

struct logtest_arguments {
  std::string ruleset;
  std::string path = "logtest";
  std::string location = "stdin";
  std::string agent;
  std::string at;
  std::string cases;
  int alert_level = 3;
  bool session_per_line = false;
  bool document = false;
};

/// "ID:NAME:IP" in front of a location, as an event of that agent has it. Errors: invalid_argument.
result<std::string> location_of(const logtest_arguments& given) {
  if (given.agent.empty()) return given.location;
  auto first = given.agent.find(':');
  auto second = first == std::string::npos ? first : given.agent.find(':', first + 1);
  if (second == std::string::npos)
    return fail(errc::invalid_argument, "'" + given.agent + "' is no agent", {},
                "write --agent 001:web-01:192.0.2.7");
  return "[" + given.agent.substr(0, first) + "] (" + given.agent.substr(first + 1, second - first - 1) + ") "
         + given.agent.substr(second + 1) + "->" + given.location;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "picket";
}

/// Lines through sessions of one rule set.
class logtest {
public:
  logtest(session& with, const logtest_arguments& given, std::shared_ptr<const engine::ruleset> rules,
          std::string location, std::optional<std::int64_t> moment)
      : with_{with}
      , given_{given}
      , rules_{std::move(rules)}
      , path_{given.path == "live" ? engine::analysis_path::live : engine::analysis_path::logtest}
      , location_{std::move(location)}
      , moment_{moment}
      , host_name_{host_name()} {}

  exit_code run_lines() {
    if (with_.interactive)
      with_.out << "Rule set of " << rules_->summary.rules << " rules. Type a log line; Ctrl-D ends.\n";
    auto one = fresh();
    std::string line;
    while (with_.out) {
      if (with_.interactive) with_.out << "\nlog> " << std::flush;
      auto state = read_line(with_.in, line);
      if (state == line_state::end) break;
      if (with_.interactive && line.empty()) continue;
      if (given_.session_per_line) one = fresh();
      show(line, state, one);
    }
    if (with_.interactive) with_.out << "\n";
    return exit_code::ok;
  }

  exit_code run_cases(const std::string& file, const std::string& text) {
    std::size_t passed = 0, total = 0, number = 0;
    json failures = json::array();
    for (std::size_t from = 0; from < text.size();) {
      auto end = std::min(text.find('\n', from), text.size());
      auto line = text.substr(from, end - from);
      from = end + 1;
      ++number;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      ++total;
      std::string name;
      auto found = run_case(line, name);
      if (found.empty()) {
        ++passed;
        continue;
      }
      auto place = file + ":" + std::to_string(number);
      failures.push_back({{"place", place}, {"name", name}, {"differences", found}});
      if (with_.options.json) continue;
      with_.out << printable(place) << ": " << printable(name) << "\n";
      for (const auto& each : found)
        with_.out << "  " << each << "\n";
    }
    if (with_.options.json)
      with_.out << pretty({{"passed", passed}, {"total", total}, {"failed", failures}});
    else
      with_.out << passed << " of " << total << "\n";
    return passed == total ? exit_code::ok : exit_code::no;
  }

private:
  engine::logtest_session fresh() const { return {rules_, path_, host_name_}; }

  result<engine::logtest_answer> analyse(engine::logtest_session& one, const std::string& line) const {
    // As in the reference (decoders.md 6.2): its log-test refuses an empty text, the live engine does not.
    if (line.empty() && path_ == engine::analysis_path::logtest)
      return fail(errc::invalid_argument, "an empty line is not analysed", {},
                  "give a log line, or --path live");
    auto now = moment_ ? *moment_ : wall_clock_ms();
    return one.run(line, location_, now, local_utc_offset_s(now));
  }

  void show(const std::string& line, line_state state, engine::logtest_session& one) {
    auto answer =
        state == line_state::too_long ? result<engine::logtest_answer>{fail(
            errc::limit_reached, "the line is longer than " + std::to_string(log_line_bytes_max) + " bytes",
            {}, "no agent sends such a line")}
                                      : analyse(one, line);
    if (with_.options.json) {
      with_.out << to_line(answer ? answer_json(*answer, given_.document)
                                  : json{{"error", answer.error().what}});
      return;
    }
    if (!with_.interactive) with_.out << "log: " << printable(line) << "\n\n";
    if (!answer) {
      with_.out << "not analysed: " << to_string(answer.error()) << "\n\n";
      return;
    }
    with_.out << answer_text(*answer);
    if (given_.document) with_.out << "\n" << printable(answer->document) << "\n";
    if (!with_.interactive) with_.out << "\n";
  }

  std::vector<std::string> run_case(const std::string& text, std::string& name) const {
    auto record = read_case(text);
    if (!record) return {to_string(record.error())};
    name = record->name;
    auto one = fresh();
    json last;
    for (const auto& line : record->lines) {
      auto answer = analyse(one, line);
      if (!answer) return {to_string(answer.error())};
      last = observed(*answer);
    }
    return differences(record->expected, last);
  }

  session& with_;
  const logtest_arguments& given_;
  std::shared_ptr<const engine::ruleset> rules_;
  engine::analysis_path path_;
  std::string location_;
  std::optional<std::int64_t> moment_;
  std::string host_name_;
};

/// The compiled rule set; null after saying why there is none.
std::shared_ptr<const engine::ruleset> load(session& with, const logtest_arguments& given) {
  auto files = read_ruleset(given.ruleset);
  if (!files) {
    complain(with, files.error());
    return nullptr;
  }
  engine::compile_options options;
  options.rules.log_alert_level = given.alert_level;
  auto report = check_ruleset(std::move(*files), options);
  if (report.errors > 0) {
    with.err << findings_text(report, false);
    complain(with,
             {errc::ruleset_invalid, "the rule set does not load", given.ruleset, "mend what stands above"});
    return nullptr;
  }
  if (with.interactive && report.warnings > 0)
    with.err << "picketctl: " << report.warnings
             << " warnings about the rule set (see 'picketctl ruleset check')\n";
  return report.compiled.ruleset;
}

exit_code run_logtest(session& with, const logtest_arguments& given) {
  auto location = location_of(given);
  if (!location) return complain(with, location.error());
  std::optional<std::int64_t> moment;
  if (!given.at.empty()) {
    auto parsed = parse_moment(given.at);
    if (!parsed) return complain(with, parsed.error());
    moment = *parsed;
  }
  std::string cases;
  if (!given.cases.empty()) {
    auto bytes = read_whole_file(given.cases, cases_bytes_max);
    if (!bytes) return complain(with, bytes.error());
    cases = std::move(*bytes);
  }
  auto rules = load(with, given);
  if (!rules) return exit_code::no;
  logtest tester{with, given, std::move(rules), std::move(*location), moment};
  return given.cases.empty() ? tester.run_lines() : tester.run_cases(given.cases, cases);
}

} // namespace

void add_logtest_command(command_table& table) {
  auto given = std::make_shared<logtest_arguments>();
  auto& command =
      table.add(table.root, "logtest", "Show what decoders and rules make of log lines; needs no node",
                [&table, given] { return run_logtest(table.with, *given); });
  command
      .add_option("--ruleset", given->ruleset,
                  "Directory with decoders/, rules/ and lists/ (default: our own)")
      ->type_name(directory_type);
  command.add_flag("--session-per-line", given->session_per_line, "Forget everything after each line");
  command.add_option("--path", given->path, "Answer as a log test does, or as the live engine")
      ->check(CLI::IsMember({"logtest", "live"}))
      ->capture_default_str();
  command
      .add_option("--location", given->location, "Where the lines come from, for example /var/log/auth.log")
      ->capture_default_str();
  command.add_option("--agent", given->agent, "The agent that sends them, as ID:NAME:ADDRESS");
  command.add_option("--at", given->at,
                     "The moment at which all lines arrive, for example 2025-06-04T12:00:00 (default: now)");
  command.add_option("--alert-level", given->alert_level, "Level from which on a rule raises an alert")
      ->check(CLI::Range(0, 16))
      ->capture_default_str();
  command.add_flag("--document", given->document, "Show the alert or archived event itself, too");
  command
      .add_option("--cases", given->cases,
                  "File of cases, a JSON record a line; prints differences and 'N of M'")
      ->type_name(file_type);
}

} // namespace picket::ctl
