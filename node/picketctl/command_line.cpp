#include "node/picketctl/command_line.hpp"

#include <ostream>
#include <sstream>

#include <CLI/CLI.hpp>

#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

constexpr const char* footer =
    "Exit codes: 0 done; 1 the answer is no, differences or errors were found; 2 usage;\n"
    "3 the node cannot be reached; 4 not authorized or refused; 5 done in part.\n"
    "'picketctl COMMAND --help' says more; the manual is docs/picketctl.md.";

void add_global_options(CLI::App& root, global_options& to) {
  root.add_option(
          "--config", to.config_file,
          "The node's configuration: address, token and certificate of the admin endpoint come from it "
          "(default: $PICKET_CONFIG, ./picket.yml, /etc/picket/picket.yml)")
      ->type_name(file_type);
  root.add_option("--url", to.url, "Address of the admin endpoint, for example https://127.0.0.1:55000");
  root.add_option("--token-file", to.token_file, "File with the token of the admin endpoint")
      ->type_name(file_type);
  root.add_option("--ca", to.ca_file, "PEM file with the certificates to trust (default: the node's own)")
      ->type_name(file_type);
  root.add_flag("--insecure", to.insecure, "Do not check the node's certificate");
  root.add_flag("--json", to.json, "Answer as JSON");
  root.add_option("--timeout", to.timeout_s, "Seconds to wait for the node")
      ->check(CLI::Range(1, 3'600))
      ->capture_default_str();
}

void add_all(command_table& table) {
  table.root.require_subcommand(1);
  table.root.footer(footer);
  table.root.set_version_flag("--version", std::string{"picketctl "} + PICKET_VERSION, "Print the version");
  add_global_options(table.root, table.with.options);
  add_logtest_command(table);
  add_ruleset_commands(table);
  add_agent_commands(table);
  add_group_commands(table);
  add_node_commands(table);
  add_deadletter_commands(table);
  add_config_commands(table);
  add_reference_commands(table);
  add_completion_commands(table);
}

/// The deepest command that the arguments name, for the hint of a usage error.
std::string named_command(const CLI::App& root) {
  std::string path = root.get_name();
  for (const auto* at = &root; !at->get_subcommands().empty();) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

/// A word where a command was expected, if one was given.
std::string first_unknown(const CLI::App& root) {
  const auto* at = &root;
  while (!at->get_subcommands().empty())
    at = at->get_subcommands().front();
  if (at->get_subcommands([](const CLI::App*) { return true; }).empty()) return {};
  for (const auto& word : root.remaining(true))
    if (!word.empty() && word.front() != '-') return word;
  return {};
}

exit_code usage_error(const CLI::App& root, session& with, const std::string& what) {
  with.err << "picketctl: " << printable(what) << " (see '" << named_command(root) << " --help')\n";
  return exit_code::usage;
}

exit_code parse_and_run(const std::vector<std::string>& arguments, session& with) {
  CLI::App root{"Works with a Picket node, its rule sets and its configuration.", "picketctl"};
  command_table table{root, with, {}};
  add_all(table);
  try {
    // The parser takes them from the back.
    root.parse(std::vector<std::string>{arguments.rbegin(), arguments.rend()});
  } catch (const CLI::CallForVersion& asked) {
    with.out << asked.what() << "\n";
    return exit_code::ok;
  } catch (const CLI::Success& asked) {
    std::ostringstream ignored;
    root.exit(asked, with.out, ignored);
    return exit_code::ok;
  } catch (const CLI::RequiredError& problem) {
    auto unknown = first_unknown(root);
    return usage_error(root, with,
                       unknown.empty() ? problem.what() : "there is no command '" + unknown + "'");
  } catch (const CLI::ParseError& problem) {
    return usage_error(root, with, problem.what());
  }
  return table.chosen ? table.chosen() : exit_code::usage;
}

} // namespace

CLI::App& command_table::add(CLI::App& parent, const std::string& name, const std::string& description,
                             std::function<exit_code()> action) {
  auto& command = *parent.add_subcommand(name, description);
  command.fallthrough();
  command.callback([this, action = std::move(action)] { chosen = action; });
  return command;
}

CLI::App& command_table::add_group(const std::string& name, const std::string& description) {
  auto& group = *root.add_subcommand(name, description);
  group.fallthrough();
  group.require_subcommand(1);
  return group;
}

exit_code run(const std::vector<std::string>& arguments, session& with) {
  try {
    auto code = parse_and_run(arguments, with);
    with.out.flush();
    if (with.out) return code;
    return complain(with, {errc::io, "the output could not be written", {}, "look at the disk or the pipe"});
  } catch (const std::exception& defect) {
    complain(with, {errc::internal, defect.what(), {}, {}});
    return exit_code::no;
  }
}

command_info all_commands() {
  std::istringstream in;
  std::ostringstream out;
  session nobody{in, out, out, {}};
  CLI::App root{"", "picketctl"};
  command_table table{root, nobody, {}};
  add_all(table);
  return describe(root);
}

} // namespace picket::ctl
