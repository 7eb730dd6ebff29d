#include <ostream>

#include <CLI/CLI.hpp>

#include "node/picketctl/command_line.hpp"
#include "node/picketctl/completion.hpp"
#include "node/picketctl/reference.hpp"

namespace picket::ctl {

namespace {

void add_page(command_table& table, CLI::App& group, const char* name, const char* description,
              std::string (*render)()) {
  table.add(group, name, description, [&table, render] {
    table.with.out << render();
    return exit_code::ok;
  });
}

} // namespace

void add_reference_commands(command_table& table) {
  auto& group = table.add_group("reference", "Pages of the manual made from the source");
  add_page(table, group, "log-events", "Every event of the node's log, as a Markdown table",
           render_log_events);
  add_page(table, group, "metrics", "Every metric, as a Markdown table", render_metrics);
  add_page(table, group, "errors", "Every error, as a Markdown table", render_errors);
}

void add_completion_commands(command_table& table) {
  auto& group = table.add_group("completion", "Completion for the shell");
  add_page(table, group, "bash", "Print it for bash: source <(picketctl completion bash)",
           [] { return bash_completion(all_commands()); });
  add_page(table, group, "zsh", "Print it for zsh: save it as _picketctl in a directory of $fpath",
           [] { return zsh_completion(all_commands()); });
}

} // namespace picket::ctl
