#include <filesystem>
#include <memory>
#include <ostream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "config/render.hpp"
#include "node/picketctl/api_call.hpp"
#include "node/picketctl/command_line.hpp"
#include "node/picketctl/source_quote.hpp"
#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

struct checked {
  std::string file; ///< empty: none, only defaults and environment
  std::string text;
  config::loaded loaded;
};

result<checked> read_configuration(const session& with, const std::string& named) {
  checked done;
  done.file = named.empty() ? configuration_file(with) : named;
  std::error_code ignored;
  auto directory = std::filesystem::current_path(ignored);
  if (!done.file.empty()) {
    // One byte more than allowed: the loader says what the limit is.
    auto text = read_whole_file(done.file, config::max_file_bytes * 16);
    if (!text) return tl::unexpected<error>(text.error());
    done.text = std::move(*text);
    directory = std::filesystem::absolute(done.file, ignored).parent_path();
  }
  done.loaded =
      config::load_text(done.text, done.file.empty() ? "defaults" : done.file, with.environment, directory);
  return done;
}

void write_problems(std::ostream& to, const checked& done) {
  source_text lines{done.text};
  for (const auto& problem : done.loaded.problems) {
    to << printable(config::to_string(problem)) << "\n";
    if (problem.line > 0) to << lines.quote(static_cast<int>(problem.line), static_cast<int>(problem.column));
  }
}

json problems_json(const checked& done) {
  json problems = json::array();
  for (const auto& problem : done.loaded.problems) {
    json one{{"file", problem.file}, {"text", problem.text}};
    if (problem.line > 0) {
      one["line"] = problem.line;
      one["column"] = problem.column;
    }
    problems.push_back(std::move(one));
  }
  return problems;
}

exit_code check(session& with, const std::string& file) {
  auto done = read_configuration(with, file);
  if (!done) return complain(with, done.error());
  auto count = done->loaded.problems.size();
  if (with.options.json) {
    with.out << pretty({{"file", done->file}, {"problems", problems_json(*done)}});
  } else {
    write_problems(with.out, *done);
    auto name = done->file.empty() ? std::string{"defaults and environment"} : printable(done->file);
    if (count == 0)
      with.out << name << ": no mistakes\n";
    else
      with.out << "\n" << name << ": " << count << (count == 1 ? " mistake\n" : " mistakes\n");
  }
  return count == 0 ? exit_code::ok : exit_code::no;
}

exit_code show(session& with, const std::string& file) {
  auto done = read_configuration(with, file);
  if (!done) return complain(with, done.error());
  if (!done->loaded.good()) {
    write_problems(with.err, *done);
    return complain(
        with, {errc::bad_configuration, "the configuration has mistakes", done->file, "mend them first"});
  }
  json all = json::array();
  text_table table{{"SETTING", "VALUE", "FROM"}};
  for (const auto& origin : done->loaded.origins) {
    table.add({origin.key, origin.value, origin.from});
    all.push_back({{"key", origin.key}, {"value", origin.value}, {"from", origin.from}});
  }
  with.out << (with.options.json ? pretty(all) : table.render());
  return exit_code::ok;
}

} // namespace

void add_config_commands(command_table& table) {
  auto& group = table.add_group("config", "The node's configuration file");
  auto file = std::make_shared<std::string>();
  auto add = [&](const char* name, const char* description,
                 exit_code (*action)(session&, const std::string&)) {
    auto& command =
        table.add(group, name, description, [&table, file, action] { return action(table.with, *file); });
    command.add_option("FILE", *file, "The configuration file (default: that of --config)")
        ->type_name(file_type);
  };
  add("check", "Show every mistake of a configuration file with its place", check);
  add("show", "Show each setting with its value and where it comes from", show);
  table.add(group, "default", "Print the commented file in which every line shows its default", [&table] {
    table.with.out << config::render_default();
    return exit_code::ok;
  });
  table.add(group, "manual", "Print the page of the manual with all settings", [&table] {
    table.with.out << config::render_manual();
    return exit_code::ok;
  });
}

} // namespace picket::ctl
