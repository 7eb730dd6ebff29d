#include "engine/load/ruleset_block.hpp"

#include "engine/match/pattern.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace picket::engine {

namespace {

constexpr std::array<std::string_view, 7> element_names = {
    "decoder_dir", "rule_dir", "decoder_include", "rule_include", "decoder_exclude", "rule_exclude", "list"};

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// The files of one kind, decoders or rules.
class selection {
public:
  selection(std::string default_directory, const directory_lister& list)
      : default_(std::move(default_directory))
      , list_(list) {}

  struct directory {
    std::string name;
    pattern files;
  };
  std::vector<directory> directories;
  std::vector<std::string> includes;
  std::vector<std::string> excludes;

  std::string with_default(const std::string& file) const {
    return file.find('/') == std::string::npos ? default_ + "/" + file : file;
  }

  std::vector<std::string> run() {
    std::vector<std::string> chosen;
    auto take = [&](const std::string& path) {
      if (std::find(chosen.begin(), chosen.end(), path) == chosen.end()) chosen.push_back(path);
    };
    for (const auto& file : includes)
      take(file);
    for (const auto& each : directories) {
      for (const auto& file : list_(each.name)) {
        auto path = each.name + "/" + file;
        bool excluded = std::any_of(excludes.begin(), excludes.end(),
                                    [&](const std::string& name) { return name == file || name == path; });
        if (!excluded && each.files.holds(path, scratch_)) take(path);
      }
    }
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const std::string& a, const std::string& b) { return base_name(a) < base_name(b); });
    return chosen;
  }

private:
  std::string default_;
  const directory_lister& list_;
  match_scratch scratch_;
};

std::optional<pattern> file_pattern(const xml::element& directory, diagnostics& out) {
  std::string_view text = ".xml$";
  if (!directory.attributes.empty()) {
    auto named = std::find_if(directory.attributes.begin(), directory.attributes.end(),
                              [](const xml::attribute& each) { return equal_fold(each.name, "pattern"); });
    if (named == directory.attributes.end()) {
      out.push_back({severity::error, directory.place, -1, "ruleset-block",
                     "'" + directory.name + "' has no attribute '" + directory.attributes.front().name + "'",
                     "the only attribute is 'pattern'"});
      return std::nullopt;
    }
    text = named->value;
  }
  auto compiled = pattern::compile(language::osregex, text, {});
  if (compiled) return std::move(*compiled);
  out.push_back({severity::error, directory.place, -1, "ruleset-block",
                 "the pattern does not compile: " + compiled.error(), "mend the pattern"});
  return std::nullopt;
}

std::string list_name(std::string text) {
  if (text.find('/') == std::string::npos) text.insert(0, "ruleset/rules/");
  return text.substr(0, text.find(".cdb"));
}

ruleset_selection read_block(const xml::element& block, const directory_lister& list,
                             const std::function<bool(const std::string&)>& exists, diagnostics& out) {
  selection decoders("ruleset/decoders", list);
  selection rules("ruleset/rules", list);
  ruleset_selection made;
  for (const auto& each : block.children) {
    if (std::find(element_names.begin(), element_names.end(), each.name) == element_names.end()) {
      auto near = nearest(each.name, element_names);
      out.push_back(
          {severity::error, each.place, -1, "unknown-element",
           "unknown element '" + each.name + "' in 'ruleset'",
           near.empty() ? "case counts here" : "did you mean '" + std::string(near) + "'? case counts here"});
      continue;
    }
    if (each.name == "list") {
      made.lists.push_back(list_name(each.text));
      continue;
    }
    selection& kind = each.name[0] == 'd' ? decoders : rules;
    auto what = std::string_view(each.name).substr(each.name.find('_') + 1);
    if (what == "exclude") {
      kind.excludes.push_back(each.text);
    } else if (what == "dir") {
      if (auto files = file_pattern(each, out)) kind.directories.push_back({each.text, std::move(*files)});
    } else if (auto file = kind.with_default(each.text); exists(file)) {
      kind.includes.push_back(file);
    } else {
      out.push_back({severity::warning, each.place, -1, "missing-file",
                     "'" + file + "' cannot be read and is skipped", "create it, or remove the element"});
    }
  }
  for (auto* kind : {&decoders, &rules}) {
    if (kind->directories.empty())
      kind->directories.push_back({kind->with_default("").substr(0, kind->with_default("").size() - 1),
                                   std::move(pattern::compile(language::osregex, ".xml$", {}).value())});
  }
  made.decoders = decoders.run();
  made.rules = rules.run();
  return made;
}

} // namespace

ruleset_selection select_ruleset_files(const std::vector<xml::element>& roots, const directory_lister& list,
                                       const std::function<bool(const std::string& file)>& exists,
                                       diagnostics& out) {
  ruleset_selection made;
  const xml::element* before = nullptr;
  for (const auto& root : roots) {
    if (root.name != "ruleset") continue;
    if (before)
      out.push_back({severity::note, before->place, -1, "ruleset-block",
                     "a later 'ruleset' block replaces this one", "keep one block"});
    before = &root;
    made = read_block(root, list, exists, out);
  }
  return made;
}

} // namespace picket::engine
