#include "node/picketctl/reference.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "actors/telemetry/metrics.hpp"
#include "base/error.hpp"
#include "base/telemetry/event_log.hpp"

namespace picket::ctl {

namespace {

constexpr log_event events[] = {
#define PICKET_LOG_EVENT(name, level, meaning, advice) log_event::name,
#include "base/telemetry/log_events.def"
#undef PICKET_LOG_EVENT
};

constexpr errc codes[] = {
#define PICKET_ERROR(number, name, meaning, mend) errc::name,
#include "base/telemetry/error_codes.def"
#undef PICKET_ERROR
};

std::string_view text_of(log_level level) {
  switch (level) {
  case log_level::debug:
    return "debug";
  case log_level::info:
    return "info";
  case log_level::warn:
    return "warn";
  case log_level::error:
    return "error";
  }
  return "";
}

/// A cell of a table: a bar would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

void add_row(std::string& page, const std::vector<std::string>& cells) {
  page += "|";
  for (const auto& each : cells)
    page += " " + each + " |";
  page += "\n";
}

/// "reason=a|b" as "`reason`: a, b".
std::string label_text(std::string_view labels) {
  auto equals = labels.find('=');
  if (equals == std::string_view::npos) return "";
  std::string text = "`" + std::string{labels.substr(0, equals)} + "`: ";
  for (char c : labels.substr(equals + 1)) {
    if (c == '|')
      text += ", ";
    else
      text += c;
  }
  return text;
}

} // namespace

std::string render_log_events() {
  std::string page =
      "# Log events\n\n"
      "This page is made from the table in `base/telemetry/log_events.def`. The node writes one line for "
      "each event: "
      "`ts=… level=… node=… event=NAME key=value …`. Match the name, not the text; names are stable. "
      "Floods are held back: of an event 100 lines at once and then 20 a second, of one peer or agent 10 and "
      "then one in 5 seconds. `log-suppressed` says how many of what, and the latest error of a kind is "
      "written in the end.\n\n"
      "| event | level | what happened | what to do |\n|---|---|---|---|\n";
  std::vector<log_event> sorted{std::begin(events), std::end(events)};
  std::sort(sorted.begin(), sorted.end(), [](auto a, auto b) { return name_of(a) < name_of(b); });
  for (auto event : sorted)
    add_row(page, {"`" + name_of(event) + "`", std::string{text_of(level_of(event))}, cell(meaning_of(event)),
                   cell(advice_of(event))});
  return page;
}

std::string render_metrics() {
  std::string page = "# Metrics\n\n"
                     "This page is made from the table in `base/telemetry/metrics.def`. Prometheus reads "
                     "them from `/metrics` on the "
                     "health endpoint (`health.listen`). A label takes the values listed and no other, and "
                     "every series is there with "
                     "0 from the start.\n\n"
                     "| metric | type | label | meaning |\n|---|---|---|---|\n";
  auto sorted = all_metrics();
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& metric : sorted)
    add_row(page, {"`" + std::string{metric.name} + "`", std::string{metric.type}, label_text(metric.labels),
                   cell(metric.meaning)});
  return page;
}

std::string render_errors() {
  std::string page = "# Errors\n\n"
                     "This page is made from the table in `base/telemetry/error_codes.def`. Every error that "
                     "a log line, `picketctl` "
                     "or an answer of the admin endpoint shows has one of these numbers; numbers are never "
                     "used again for another "
                     "thing. The text of an error is more precise than this page: it says where, and how to "
                     "mend that case.\n\n"
                     "| number | name | what it means | how to mend it |\n|---|---|---|---|\n";
  std::vector<errc> sorted{std::begin(codes), std::end(codes)};
  std::sort(sorted.begin(), sorted.end());
  for (auto code : sorted)
    add_row(page, {std::to_string(static_cast<int>(code)), "`" + std::string{name_of(code)} + "`",
                   cell(meaning_of(code)), cell(mend_of(code))});
  return page;
}

} // namespace picket::ctl
