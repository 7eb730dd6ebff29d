#include "engine/render/alert.hpp"

#include "engine/event/predecode.hpp"
#include "engine/load/decoders.hpp"
#include "engine/render/escape.hpp"

#include <algorithm>
#include <limits>

namespace picket::engine {

namespace {

constexpr std::size_t description_bytes_max = 1024; ///< rules.md 6.5
constexpr auto no_limit = std::numeric_limits<std::size_t>::max();

/// How much each long text may take.
struct line_limits {
  std::size_t previous = no_limit;
  std::size_t full_log = no_limit;
  std::size_t value = no_limit;
};

/// Longest tag and location together (events-and-alerts.md 10.4).
constexpr std::size_t location_bytes_max = 1023;

/// What follows the tag, as far as tag and location fit; nothing: the alert has no location.
std::optional<std::string_view> shown_location(const source& from) {
  const std::string_view whole = from.rule_location;
  if (!from.location_shown || (from.location.empty() && !from.from_agent)) return std::nullopt;
  const auto cut = whole.size() > location_bytes_max ? whole.size() - location_bytes_max : 0;
  if (whole.empty() || whole.front() != '(') return from.location;
  if (cut > from.location.size()) return std::nullopt;
  return std::string_view{from.location}.substr(0, from.location.size() - cut);
}

/// Events of scripts that look at a host without an agent: "(script) user@host->path"
/// (events-and-alerts.md 8.5).
struct agentless_tag {
  std::string_view script, user, host;
};

std::optional<agentless_tag> agentless_tag_of(const source& from) {
  std::string_view text = from.rule_location;
  if (from.from_agent || text.empty() || text.front() != '(') return std::nullopt;
  const auto close = text.find(") ");
  const auto arrow = text.find("->");
  if (close == std::string_view::npos || arrow == std::string_view::npos || arrow < close)
    return std::nullopt;
  const auto at = text.find('@', close);
  if (at == std::string_view::npos || at > arrow) return std::nullopt;
  return agentless_tag{text.substr(1, close - 1), text.substr(close + 2, at - close - 2),
                       text.substr(at + 1, arrow - at - 1)};
}

class json_writer {
public:
  json_writer(std::string& to, const alert_content& content, render_scratch& scratch, arena& memory,
              const line_limits& limits)
      : to_(to)
      , content_(content)
      , ev_(*content.ev)
      , scratch_(scratch)
      , memory_(memory)
      , limits_(limits) {}

  void write() {
    to_ += "{\"timestamp\":\"";
    scratch_.moments.append_json(to_, ev_.arrival_ms, ev_.utc_offset_s);
    to_ += "\"";
    if (content_.rule) write_rule();
    const auto agentless = agentless_tag_of(*ev_.source);
    if (!agentless) write_agent();
    to_ += ",\"manager\":{\"name\":";
    append_json_string(to_, ev_.source->manager_name);
    to_ += "},\"id\":\"";
    to_ += content_.id;
    to_ += "\"";
    write_cluster();
    write_previous();
    if (content_.full_log) {
      to_ += ",\"full_log\":\"";
      append_escaped(to_, ev_.full_log, limits_.full_log);
      to_ += "\"";
    }
    write_event();
    if (agentless) write_agentless(*agentless);
    if (content_.counted_locally) to_ += ",\"picket\":{\"counted\":\"locally\"}";
    to_ += "}\n";
  }

private:
  void write_rule() {
    const auto& rule = *content_.rule;
    to_ += ",";
    if (content_.level_0 && rule.level == 0)
      to_.append("\"rule\":{\"level\":0,").append(rule.fragments.head, 8);
    else
      to_ += rule.fragments.head;
    if (content_.description.data() == rule.description.data())
      to_ += rule.fragments.description;
    else
      append_escaped(to_, content_.description);
    to_ += rule.fragments.middle;
    if (content_.firedtimes > 0 && !rule.no_counter)
      to_.append(",\"firedtimes\":").append(std::to_string(content_.firedtimes));
    to_ += rule.fragments.tail;
  }

  void write_agent() {
    const auto& source = *ev_.source;
    to_ += ",\"agent\":{\"id\":";
    append_json_string(to_, source.agent_id);
    if (!source.agent_name.empty()) {
      to_ += ",\"name\":";
      append_json_string(to_, source.agent_name);
    }
    if (!source.agent_ip.empty()) {
      to_ += ",\"ip\":";
      append_json_string(to_, source.agent_ip);
    }
    if (!source.labels.empty()) {
      auto& object = scratch_.object;
      object.clear();
      for (const auto& label : source.labels)
        if (!label.hidden) object.put_embedding(label.name, label.value);
      to_ += ",\"labels\":";
      object.append(to_, memory_, limits_.value);
    }
    to_ += "}";
  }

  void write_agentless(const agentless_tag& tag) {
    to_ += ",\"agentless\":{\"script\":";
    append_json_string(to_, tag.script);
    to_ += ",\"user\":";
    append_json_string(to_, tag.user);
    to_ += ",\"host\":";
    append_json_string(to_, tag.host);
    to_ += "}";
  }

  void write_cluster() {
    if (ev_.source->cluster_name.empty()) return;
    to_ += ",\"cluster\":{\"name\":";
    append_json_string(to_, ev_.source->cluster_name);
    to_ += ",\"node\":";
    append_json_string(to_, ev_.source->node_name);
    to_ += "}";
  }

  void write_previous() {
    // At least two texts, and the second is not empty (rules.md 4.6).
    if (!content_.previous || content_.previous->size() < 2 || (*content_.previous)[1].empty()) return;
    to_ += ",\"previous_output\":\"";
    std::size_t left = limits_.previous;
    for (std::size_t i = 0; i < content_.previous->size(); ++i) {
      const auto before = to_.size();
      if (i > 0 && left >= 2) to_ += "\\n";
      append_escaped(to_, (*content_.previous)[i], left - std::min(left, to_.size() - before));
      left -= std::min(left, to_.size() - before);
    }
    to_ += "\"";
  }

  /// predecoder, decoder, previous_log, data, location. A predecoder with nothing but a host name stands
  /// behind data.
  void write_event() {
    const auto hostname = alert_hostname(ev_.full_log);
    const bool early = ev_.program_name || ev_.timestamp;
    if (early) write_predecoder(hostname);
    write_decoder();
    if (content_.previous_log.data()) {
      to_ += ",\"previous_log\":\"";
      append_escaped(to_, content_.previous_log, limits_.previous);
      to_ += "\"";
    }
    auto& object = scratch_.object;
    object.clear();
    put_fields(object, ev_);
    if (!object.empty()) {
      to_ += ",\"data\":";
      object.append(to_, memory_, limits_.value);
    }
    if (!early && hostname) write_predecoder(hostname);
    if (const auto location = shown_location(*ev_.source)) {
      to_ += ",\"location\":";
      append_json_string(to_, *location);
    }
  }

  void write_predecoder(std::optional<std::string_view> hostname) {
    to_ += ",\"predecoder\":{";
    char separator = '\0';
    const auto member = [&](std::string_view name, std::optional<std::string_view> value) {
      if (!value) return;
      if (separator != '\0') to_.push_back(separator);
      separator = ',';
      to_.append("\"").append(name).append("\":");
      append_json_string(to_, *value);
    };
    member("program_name", ev_.program_name);
    member("timestamp", ev_.timestamp);
    member("hostname", hostname);
    to_ += "}";
  }

  void write_decoder() {
    to_ += ",\"decoder\":{";
    if (const auto* decoder = ev_.decoder) {
      if (decoder->accumulate) to_ += "\"accumulate\":1,";
      if (!decoder->parent.empty()) {
        to_ += "\"parent\":";
        append_json_string(to_, decoder->parent);
        to_ += ",";
      }
      to_ += "\"name\":";
      append_json_string(to_, decoder->name);
      if (!decoder->fts_comment.empty()) {
        to_ += ",\"ftscomment\":";
        append_json_string(to_, decoder->fts_comment);
      }
    }
    to_ += "}";
  }

  std::string& to_;
  const alert_content& content_;
  const event& ev_;
  render_scratch& scratch_;
  arena& memory_;
  const line_limits& limits_;
};

} // namespace

void render_description(std::string& to, const rule& of, event_values& values) {
  to.clear();
  for (const auto& part : of.description_parts) {
    to += part.literal;
    if (part.value)
      if (const auto value = values.get(*part.value)) to += *value;
    if (to.size() >= description_bytes_max) {
      to = of.description;
      return;
    }
  }
}

void append_json_line(std::string& to, const alert_content& content, render_scratch& scratch, arena& memory) {
  const auto begin = to.size();
  line_limits limits;
  json_writer(to, content, scratch, memory, limits).write();
  const auto excess = [&] {
    const auto length = to.size() - begin - 1;
    return length > json_line_bytes_max ? length - json_line_bytes_max : 0;
  };
  const auto again = [&] {
    to.resize(begin);
    json_writer(to, content, scratch, memory, limits).write();
  };
  if (excess() == 0) return;
  limits.previous = 16 * 1024;
  again();
  if (excess() > 0 && content.full_log) {
    std::string escaped;
    append_escaped(escaped, content.ev->full_log);
    limits.full_log = escaped.size() - std::min(escaped.size(), excess());
    again();
  }
  for (std::size_t value = 32 * 1024; excess() > 0 && value > 0; value /= 2) {
    limits.value = value;
    limits.previous = std::min(limits.previous, value);
    again();
  }
}

} // namespace picket::engine
