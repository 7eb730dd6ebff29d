#include "config/render.hpp"

#include "config/schema.hpp"

namespace picket::config {

namespace {

constexpr std::size_t width = 96;

/// Breaks a text into lines of comments.
std::string comment(std::string_view text, std::string_view indent) {
  std::string out;
  while (!text.empty()) {
    auto room = width - indent.size() - 2;
    auto end = text.size() <= room ? text.size() : text.rfind(' ', room);
    if (end == std::string_view::npos || end == 0) end = std::min(text.find(' '), text.size());
    out.append(indent).append("# ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Quoted where YAML would read it otherwise.
std::string quoted(std::string_view value) {
  bool plain = !value.empty() && value.find_first_of(" #:{}[]!&*\"'|>%@`,") == std::string_view::npos;
  if (plain) return std::string{value};
  return "\"" + std::string{value} + "\"";
}

bool in_section(const setting& row, const section& part) {
  return row.key.substr(0, part.name.size()) == part.name && row.key[part.name.size()] == '.';
}

std::string remark(const setting& row) {
  std::string text = std::string{row.summary};
  settings any;
  auto member = row.of(any);
  bool free_text = std::holds_alternative<std::filesystem::path*>(member)
                   || (std::holds_alternative<std::string*>(member) && row.choices.empty());
  std::string bracket = free_text ? "" : allowed_text(row);
  if (row.scope == scope::cluster)
    bracket += bracket.empty() ? "one for the cluster" : "; one for the cluster";
  if (!bracket.empty()) text += " (" + bracket + ")";
  return text;
}

void render_rows(const section& part, std::string& out) {
  std::string sub;
  for (const auto& row : schema()) {
    if (!in_section(row, part)) continue;
    auto rest = row.key.substr(part.name.size() + 1);
    std::string indent = "  ";
    if (auto dot = rest.find('.'); dot != std::string_view::npos) {
      if (sub != rest.substr(0, dot)) {
        sub = rest.substr(0, dot);
        out += "\n  " + sub + ":\n";
      }
      rest.remove_prefix(dot + 1);
      indent = "    ";
    }
    out += comment(remark(row), indent);
    out.append(indent).append("# ").append(rest).append(": ").append(quoted(row.default_value)).append("\n");
  }
}

std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string_view when_text(takes_effect when) { return when == takes_effect::at_start ? "start" : "at once"; }
std::string_view scope_text(scope of) { return of == scope::node ? "node" : "cluster"; }

} // namespace

std::string render_default() {
  std::string out =
      "# Picket's configuration. Made from the table of settings; every line shows its default.\n"
      "# Take the '#' away to change one. An environment variable wins over this file: the key in\n"
      "# capitals, '__' for a level, PICKET_ in front, for example PICKET_INGEST__LISTEN.\n"
      "# 'picketctl config check' tells what is wrong.\n";
  for (const auto& part : sections()) {
    out.append("\n# ").append(part.title).append("\n").append(part.name).append(":\n");
    render_rows(part, out);
  }
  return out;
}

std::string render_manual() {
  std::string out = "# Configuration\n\n"
                    "This page is made from the table of settings in the source. A node reads one YAML file, "
                    "then the environment, "
                    "which wins: `ingest.listen` is `PICKET_INGEST__LISTEN`, the key in capitals with `__` "
                    "for each dot. Unknown keys "
                    "are refused. `picketctl config check FILE` shows every mistake with its place; "
                    "`picketctl config default` writes "
                    "the commented file below `config/picket.yml`.\n\n"
                    "Relative paths hang on `paths.data_dir`, which itself hangs on the directory of the "
                    "file. So a node runs without "
                    "root in any directory.\n\n"
                    "**Scope** `node`: this node's own. `cluster`: one value for all nodes; the file only "
                    "seeds it at the very first "
                    "start. **Takes effect** `start`: at the next start; `at once`: when it is changed "
                    "through the admin endpoint.\n";
  for (const auto& part : sections()) {
    out.append("\n## ").append(part.title).append(": `").append(part.name).append("`\n\n");
    out += "| key | default | allowed | scope | takes effect | meaning |\n|---|---|---|---|---|---|\n";
    for (const auto& row : schema()) {
      if (!in_section(row, part)) continue;
      out.append("| `").append(row.key).append("` | ");
      out += row.default_value.empty() ? "empty" : "`" + std::string{row.default_value} + "`";
      out.append(" | ").append(cell(allowed_text(row))).append(" | ").append(scope_text(row.scope));
      out.append(" | ").append(when_text(row.when)).append(" | ").append(cell(row.summary));
      if (!row.example.empty()) out.append(" Example: `").append(row.example).append("`.");
      out += " |\n";
    }
  }
  return out;
}

} // namespace picket::config
