#include "node/picketctl/ruleset_check.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include <nlohmann/json.hpp>

#include "node/picketctl/source_quote.hpp"
#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

std::string_view name_of(engine::severity severity) {
  switch (severity) {
  case engine::severity::note:
    return "note";
  case engine::severity::warning:
    return "warning";
  case engine::severity::error:
    return "error";
  }
  return "";
}

/// Lines of the files that have findings.
class sources {
public:
  explicit sources(const std::vector<engine::ruleset_file>& files) {
    for (const auto& file : files)
      files_.emplace(file.name, &file);
  }

  std::string quote(const engine::place& place) {
    auto file = files_.find(place.file);
    if (file == files_.end() || place.line < 1) return {};
    auto [at, fresh] = texts_.try_emplace(place.file, std::nullopt);
    if (fresh) at->second.emplace(file->second->bytes);
    return at->second->quote(place.line, place.column);
  }

private:
  std::map<std::string, const engine::ruleset_file*> files_;
  std::map<std::string, std::optional<source_text>> texts_;
};

std::string not_evaluated(const engine::ruleset_summary& summary) {
  std::string text;
  for (const auto& [name, count] : summary.counts.not_evaluated)
    text += (text.empty() ? "" : ", ") + printable(name) + " (" + std::to_string(count) + ")";
  return text.empty() ? "none" : text;
}

/// Our own table of techniques is no file of the rule set's.
std::size_t own_files(const ruleset_report& report) {
  return static_cast<std::size_t>(
      std::count_if(report.files.begin(), report.files.end(),
                    [](const auto& file) { return file.kind != engine::file_kind::technique; }));
}

std::string amount(std::size_t number, const char* thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

} // namespace

ruleset_report check_ruleset(std::vector<engine::ruleset_file> files,
                             const engine::compile_options& options) {
  ruleset_report report;
  report.files = std::move(files);
  report.compiled = engine::compile(report.files, options);
  auto& found = report.compiled.diagnostics;
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.place.file, a.place.line, a.place.column)
           < std::tie(b.place.file, b.place.line, b.place.column);
  });
  for (const auto& finding : found) {
    auto& count = finding.severity == engine::severity::error     ? report.errors
                  : finding.severity == engine::severity::warning ? report.warnings
                                                                  : report.notes;
    ++count;
  }
  return report;
}

std::string findings_text(const ruleset_report& report, bool notes) {
  sources lines{report.files};
  std::string out;
  for (const auto& finding : report.compiled.diagnostics) {
    if (finding.severity == engine::severity::note && !notes) continue;
    const auto& place = finding.place;
    if (!place.file.empty()) out += printable(place.file) + ":";
    if (place.line > 0) out += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
    out += (out.empty() || out.back() == '\n' ? "" : " ") + std::string{name_of(finding.severity)} + ": ";
    if (finding.rule >= 0) out += "rule " + std::to_string(finding.rule) + ": ";
    out += printable(finding.text) + " [" + finding.code + "]\n" + lines.quote(place);
    if (!finding.hint.empty()) out += "      = mend: " + printable(finding.hint) + "\n";
  }
  return out;
}

std::string summary_text(const ruleset_report& report) {
  std::string out;
  if (report.compiled.ruleset) {
    const auto& summary = report.compiled.ruleset->summary;
    out += amount(own_files(report), "file") + ", " + amount(summary.decoders, "decoder") + ", "
           + amount(summary.rules, "rule") + ", " + amount(summary.lists, "list") + "\n"
           + "elements not evaluated: " + not_evaluated(summary) + "\n";
  } else {
    out += amount(own_files(report), "file") + "; the rule set does not load\n";
  }
  out += amount(report.errors, "error") + ", " + amount(report.warnings, "warning") + ", "
         + amount(report.notes, "note") + "\n";
  return out;
}

json report_json(const ruleset_report& report, bool notes) {
  json findings = json::array();
  for (const auto& finding : report.compiled.diagnostics) {
    if (finding.severity == engine::severity::note && !notes) continue;
    json one{{"severity", name_of(finding.severity)},
             {"code", finding.code},
             {"text", finding.text},
             {"hint", finding.hint},
             {"file", finding.place.file},
             {"line", finding.place.line},
             {"column", finding.place.column}};
    if (finding.rule >= 0) one["rule"] = finding.rule;
    findings.push_back(std::move(one));
  }
  json out{{"errors", report.errors}, {"warnings", report.warnings}, {"notes", report.notes}};
  if (report.compiled.ruleset) {
    const auto& summary = report.compiled.ruleset->summary;
    out["summary"] = {{"files", own_files(report)},
                      {"decoders", summary.decoders},
                      {"rules", summary.rules},
                      {"lists", summary.lists},
                      {"not_evaluated", summary.counts.not_evaluated},
                      {"digest", report.compiled.ruleset->digest}};
  }
  out["findings"] = std::move(findings);
  return out;
}

} // namespace picket::ctl
