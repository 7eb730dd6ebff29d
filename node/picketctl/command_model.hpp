#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
} // namespace CLI

namespace picket::ctl {

/// What may stand behind an option or as an argument.
enum class value_kind { none, text, file, directory, choice };

struct option_info {
  std::vector<std::string> names; ///< "--json", "-h"; empty: a positional argument
  std::string description;
  value_kind kind = value_kind::none;
  std::vector<std::string> choices;
};

/// A command as completion and manual see it.
struct command_info {
  std::string name;
  std::string description;
  std::vector<option_info> options; ///< its own, without those of the commands above
  std::vector<command_info> commands;
};

/// Reads the parser's own table, so that a new command is known everywhere at once.
command_info describe(const CLI::App& app);

/// Names a path option so that completion offers files or directories.
inline constexpr const char* file_type = "FILE";
inline constexpr const char* directory_type = "DIR";

} // namespace picket::ctl
