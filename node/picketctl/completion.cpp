#include "node/picketctl/completion.hpp"

#include <functional>
#include <vector>

namespace picket::ctl {

namespace {

/// Calls `visit` for every command with its path: "" for the program itself, "/agent/list" for a command.
void each_command(const command_info& at, const std::string& path,
                  const std::function<void(const std::string&, const command_info&)>& visit) {
  visit(path, at);
  for (const auto& command : at.commands)
    each_command(command, path + "/" + command.name, visit);
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const auto& word : words)
    text += (text.empty() ? "" : between) + word;
  return text;
}

/// All paths but the program's own, as a pattern of `case`.
std::string command_pattern(const command_info& root) {
  std::vector<std::string> paths;
  each_command(root, "", [&](const std::string& path, const command_info&) {
    if (!path.empty()) paths.push_back(path);
  });
  return joined(paths, "|");
}

/// Names of all options that take a value, as a pattern of `case`.
std::string valued_pattern(const command_info& root) {
  std::vector<std::string> names;
  each_command(root, "", [&](const std::string&, const command_info& command) {
    for (const auto& option : command.options)
      if (option.kind != value_kind::none)
        for (const auto& name : option.names)
          names.push_back(name);
  });
  return joined(names, "|");
}

std::vector<std::string> option_names(const command_info& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return names;
}

/// The first positional argument that is a path decides what is offered there.
value_kind positional_kind(const command_info& command) {
  for (const auto& option : command.options)
    if (option.names.empty()) return option.kind;
  return value_kind::none;
}

/// What a shell runs to offer a value.
struct value_offer {
  std::string file, directory, nothing;
  std::function<std::string(const std::vector<std::string>&)> choices;

  std::string of(value_kind kind, const std::vector<std::string>& words = {}) const {
    switch (kind) {
    case value_kind::file:
      return file;
    case value_kind::directory:
      return directory;
    case value_kind::choice:
      return choices(words);
    case value_kind::text:
    case value_kind::none:
      break;
    }
    return nothing;
  }
};

/// Rows of `case "$at:$prev"` for options with values; global ones hold below every command.
std::string value_rows(const command_info& root, const value_offer& offer) {
  std::string rows;
  each_command(root, "", [&](const std::string& path, const command_info& command) {
    for (const auto& option : command.options) {
      if (option.names.empty() || option.kind == value_kind::none) continue;
      std::vector<std::string> patterns;
      for (const auto& name : option.names)
        patterns.push_back(path.empty() ? "*:" + name : path + ":" + name);
      rows += "    " + joined(patterns, "|") + ") " + offer.of(option.kind, option.choices) + "; return ;;\n";
    }
  });
  return rows;
}

/// A text within single quotes.
std::string single_quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

/// "name:description" of zsh's _describe.
std::string described(const std::string& name, const std::string& description) {
  std::string out;
  for (char c : name + ":") {
    if (c == ':' && out.size() < name.size()) out += '\\';
    out += c;
  }
  return single_quoted(out + description);
}

} // namespace

std::string bash_completion(const command_info& root) {
  const value_offer offer{"COMPREPLY=($(compgen -f -- \"$cur\"))", "COMPREPLY=($(compgen -d -- \"$cur\"))",
                          "COMPREPLY=()", [](const auto& words) {
                            return "COMPREPLY=($(compgen -W \"" + joined(words, " ") + "\" -- \"$cur\"))";
                          }};
  std::string out =
      "# Completion of picketctl for bash; made by 'picketctl completion bash'.\n"
      "_picketctl() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= options= words= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"${COMP_WORDS[i]}\" in "
      + valued_pattern(root)
      + ") ((i++)); continue ;; esac\n"
        "    case \"$at/${COMP_WORDS[i]}\" in "
      + command_pattern(root)
      + ") at=$at/${COMP_WORDS[i]} ;; esac\n"
        "  done\n"
        "  case \"$at:$prev\" in\n"
      + value_rows(root, offer)
      + "  esac\n"
        "  case \"$at\" in\n";
  each_command(root, "", [&](const std::string& path, const command_info& command) {
    std::vector<std::string> words;
    for (const auto& below : command.commands)
      words.push_back(below.name);
    auto kind = positional_kind(command);
    out += "    \"" + path + "\") options=\"" + joined(option_names(command), " ") + "\"; words=\""
           + joined(words, " ") + "\"";
    if (kind == value_kind::file || kind == value_kind::directory)
      out += "; [[ $cur == -* ]] || { " + offer.of(kind) + "; return; }";
    out += " ;;\n";
  });
  out += "  esac\n"
         "  if [[ $cur == -* ]]; then words=$options; [[ -n $at ]] && words+=\" "
         + joined(option_names(root), " ")
         + "\"; fi\n"
           "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
           "}\n"
           "complete -o filenames -o bashdefault -F _picketctl picketctl\n";
  return out;
}

std::string zsh_completion(const command_info& root) {
  const value_offer offer{"_files", "_files -/", "_message value",
                          [](const auto& chosen) { return "compadd -- " + joined(chosen, " "); }};
  std::string out = "#compdef picketctl\n"
                    "# Completion of picketctl for zsh; made by 'picketctl completion zsh'.\n"
                    "_picketctl() {\n"
                    "  local at= prev=${words[CURRENT-1]} i\n"
                    "  local -a commands options\n"
                    "  for ((i = 2; i < CURRENT; i++)); do\n"
                    "    case \"${words[i]}\" in ("
                    + valued_pattern(root)
                    + ") ((i++)); continue ;; esac\n"
                      "    case \"$at/${words[i]}\" in ("
                    + command_pattern(root)
                    + ") at=$at/${words[i]} ;; esac\n"
                      "  done\n"
                      "  case \"$at:$prev\" in\n"
                    + value_rows(root, offer)
                    + "  esac\n"
                      "  case \"$at\" in\n";
  each_command(root, "", [&](const std::string& path, const command_info& command) {
    out += "    \"" + path + "\")\n";
    for (const auto& below : command.commands)
      out += "      commands+=(" + described(below.name, below.description) + ")\n";
    for (const auto& option : command.options)
      for (const auto& name : option.names)
        out += "      options+=(" + described(name, option.description) + ")\n";
    auto kind = positional_kind(command);
    if (kind == value_kind::file || kind == value_kind::directory) out += "      " + offer.of(kind) + "\n";
    out += "      ;;\n";
  });
  out += "  esac\n";
  for (const auto& option : root.options)
    for (const auto& name : option.names)
      out += "  [[ -n $at ]] && options+=(" + described(name, option.description) + ")\n";
  out += "  _describe -t commands command commands\n"
         "  [[ ${words[CURRENT]} == -* ]] && _describe -t options option options\n"
         "}\n"
         "_picketctl \"$@\"\n";
  return out;
}

} // namespace picket::ctl
