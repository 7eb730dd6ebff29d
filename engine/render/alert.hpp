#pragma once

#include "engine/event/event.hpp"
#include "engine/load/rules.hpp"
#include "engine/plain/scratch.hpp"
#include "engine/render/data_object.hpp"
#include "engine/render/moment.hpp"
#include "engine/text/arena.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// Everything that an alert or an archived event shows.
struct alert_content {
  const event* ev = nullptr;
  const engine::rule* rule = nullptr; ///< null: no `rule` object
  std::string_view description;       ///< with the event's values
  std::uint32_t firedtimes = 0;       ///< 0: not shown
  const std::vector<std::string_view>* previous = nullptr;
  std::string_view previous_log;
  std::string_view id; ///< "epoch.digits"
  bool full_log = true;
  bool counted_locally = false; ///< a look-back had to do without the owner of its window
  bool level_0 = false;         ///< write "level":0 too, as log-test does
};

/// Memory that rendering uses again; one per thread of work.
struct render_scratch {
  moment_texts moments;
  nested_object object;
  std::string description;
  std::string line;
};

/// Longest line of alerts.json and archives.json, without the line end (events-and-alerts.md 10.9).
inline constexpr std::size_t json_line_bytes_max = 65'534;

/// Writes the description of a rule with the event's values put in (rules.md 6.5).
void render_description(std::string& to, const rule& of, event_values& values);

/// Appends one line of alerts.json or archives.json (events-and-alerts.md 10). A line that would be too long
/// gets `previous_output`, then `full_log`, then values of `data` cut.
void append_json_line(std::string& to, const alert_content& content, render_scratch& scratch, arena& memory);

/// Appends one block of alerts.log (11.1). Line breaks inside values become blanks.
void append_text_block(std::string& to, const alert_content& content, render_scratch& scratch);

/// Appends one line of archives.log (11.2).
void append_archive_text(std::string& to, const event& ev, render_scratch& scratch);

/// Appends one line of firewall.log (11.2). The event must have the six fields.
void append_firewall_line(std::string& to, const event& ev, render_scratch& scratch);

} // namespace picket::engine
