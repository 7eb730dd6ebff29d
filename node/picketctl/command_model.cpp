#include "node/picketctl/command_model.hpp"

#include <CLI/CLI.hpp>

namespace picket::ctl {

namespace {

/// "{one,two}" of a membership check, or nothing.
std::vector<std::string> choices_of(const std::string& type_name) {
  std::vector<std::string> words;
  auto open = type_name.find('{');
  auto close = type_name.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return words;
  for (auto from = open + 1; from <= close;) {
    auto to = std::min(type_name.find(',', from), close);
    words.push_back(type_name.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

option_info describe(const CLI::Option& option) {
  option_info info;
  for (const auto& name : option.get_snames())
    info.names.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    info.names.push_back("--" + name);
  info.description = option.get_description();
  if (option.get_expected_max() == 0) return info;
  auto type = option.get_type_name();
  info.choices = choices_of(type);
  info.kind = !info.choices.empty()                            ? value_kind::choice
              : type.find(directory_type) != std::string::npos ? value_kind::directory
              : type.find(file_type) != std::string::npos      ? value_kind::file
                                                               : value_kind::text;
  return info;
}

} // namespace

command_info describe(const CLI::App& app) {
  command_info info;
  info.name = app.get_name();
  info.description = app.get_description();
  for (const auto* option : app.get_options())
    info.options.push_back(describe(*option));
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    info.commands.push_back(describe(*command));
  return info;
}

} // namespace picket::ctl
