#pragma once

#include <functional>
#include <string>
#include <vector>

#include "node/picketctl/command_model.hpp"
#include "node/picketctl/session.hpp"

namespace CLI {
class App;
} // namespace CLI

namespace picket::ctl {

/// What a group of commands adds itself to: the parser, and the session that its actions will work with.
struct command_table {
  CLI::App& root;
  session& with;
  std::function<exit_code()> chosen; ///< action of the command that the command line named

  /// A command below `parent` that runs `action`.
  CLI::App& add(CLI::App& parent, const std::string& name, const std::string& description,
                std::function<exit_code()> action);
  /// A group of commands; naming it alone is a usage error.
  CLI::App& add_group(const std::string& name, const std::string& description);
};

void add_logtest_command(command_table& table);
void add_ruleset_commands(command_table& table);
void add_agent_commands(command_table& table);
void add_group_commands(command_table& table);
void add_node_commands(command_table& table);
void add_deadletter_commands(command_table& table);
void add_config_commands(command_table& table);
void add_reference_commands(command_table& table);
void add_completion_commands(command_table& table);

/// Parses and runs. `arguments` are those after the program's name. Never throws.
exit_code run(const std::vector<std::string>& arguments, session& with);

/// The whole table, for completion and for the test of the manual.
command_info all_commands();

} // namespace picket::ctl
