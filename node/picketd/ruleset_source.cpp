#include "node/picketd/ruleset_source.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace picket {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t findings_logged = 20;

result<std::string> read_file(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return fail(errc::io, "cannot read the file", file.string());
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

fs::path own_ruleset_dir() {
  std::error_code problem;
  auto program = fs::read_symlink("/proc/self/exe", problem);
  if (!problem) {
    auto installed = program.parent_path().parent_path() / "share" / "picket" / "ruleset";
    if (fs::is_directory(installed, problem)) return installed;
  }
  return PICKET_RULESET_DIR;
}

result<std::vector<engine::ruleset_file>> read_ruleset(const fs::path& dir) {
  auto files = engine::read_ruleset_directory(dir.empty() ? own_ruleset_dir() : dir);
  if (!files) return files;
  bool has_table = std::any_of(files->begin(), files->end(),
                               [](const auto& file) { return file.kind == engine::file_kind::technique; });
  if (has_table) return files;
  auto table = own_ruleset_dir() / "techniques.tsv";
  auto bytes = read_file(table);
  if (!bytes) return tl::unexpected<error>(bytes.error());
  files->push_back({engine::file_kind::technique, table.filename().string(), std::move(*bytes)});
  return files;
}

result<std::shared_ptr<const engine::ruleset>>
load_ruleset(const fs::path& dir, const engine::compile_options& options, event_log& log) {
  auto files = read_ruleset(dir);
  if (!files) return tl::unexpected<error>(files.error());
  auto compiled = engine::compile(*files, options);
  std::size_t shown = 0;
  const engine::diagnostic* first_error = nullptr;
  for (const auto& finding : compiled.diagnostics) {
    if (finding.severity == engine::severity::error && first_error == nullptr) first_error = &finding;
    if (finding.severity != engine::severity::note && shown++ < findings_logged)
      log.write(log_event::ruleset_finding, {{"finding", engine::to_string(finding)}});
  }
  if (!compiled.ruleset) {
    auto where = (dir.empty() ? own_ruleset_dir() : dir).string();
    if (first_error == nullptr) return fail(errc::ruleset_invalid, "the rule set does not load", where);
    return fail(errc::ruleset_invalid, engine::to_string(*first_error), where,
                "mend the file; 'picketctl ruleset check " + where + "' shows every finding");
  }
  const auto& summary = compiled.ruleset->summary;
  log.write(log_event::ruleset_loaded, {{"rules", summary.rules},
                                        {"decoders", summary.decoders},
                                        {"digest", compiled.ruleset->digest},
                                        {"findings", compiled.diagnostics.size()}});
  return compiled.ruleset;
}

} // namespace picket
