#include "engine/render/alert.hpp"

#include "engine/render/escape.hpp"

namespace picket::engine {

namespace {

/// Line breaks would let a log forge another alert (events-and-alerts.md 11.1, Harden): they become blanks.
/// Each byte of an invalid UTF-8 sequence becomes U+FFFD, as in the JSON.
void append_one_line(std::string& to, std::string_view text) {
  std::size_t begin = 0; // of what is not written yet
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80 && byte != '\n' && byte != '\r') {
      ++at;
      continue;
    }
    const auto length = byte < 0x80 ? 0 : utf8_length(text.substr(at));
    if (length > 0) {
      at += length;
      continue;
    }
    to.append(text, begin, at - begin);
    to.append(byte < 0x80 ? " " : "\xEF\xBF\xBD");
    begin = ++at;
  }
  to.append(text, begin, std::string_view::npos);
}

void append_origin(std::string& to, const event& ev) {
  const auto& source = *ev.source;
  const auto& location = source.rule_location;
  if (!location.empty() && location.front() == '(') {
    append_one_line(to, location);
    return;
  }
  append_one_line(to, ev.hostname);
  to += "->";
  append_one_line(to, source.location);
}

void append_field(std::string& to, std::string_view name, std::optional<std::string_view> value) {
  if (!value) return;
  to.append(name).append(": ");
  append_one_line(to, *value);
  to.push_back('\n');
}

} // namespace

void append_text_block(std::string& to, const alert_content& content, render_scratch& scratch) {
  const auto& ev = *content.ev;
  const auto& rule = *content.rule;
  to.append("** Alert ").append(content.id).append(rule.mail ? ": mail  - " : ": - ");
  append_one_line(to, rule.group_text);
  to.push_back('\n');
  scratch.moments.append_text(to, ev.arrival_ms, ev.utc_offset_s);
  to.push_back(' ');
  append_origin(to, ev);
  to.push_back('\n');
  for (const auto& label : ev.source->labels)
    if (!label.hidden) append_field(to, label.name, label.value);
  to.append("Rule: ").append(std::to_string(rule.id)).append(" (level ").append(std::to_string(rule.level));
  to += ") -> '";
  append_one_line(to, content.description);
  to += "'\n";
  append_field(to, "Src IP", ev.get(static_field::srcip));
  append_field(to, "Src Port", ev.get(static_field::srcport));
  append_field(to, "Dst IP", ev.get(static_field::dstip));
  append_field(to, "Dst Port", ev.get(static_field::dstport));
  append_field(to, "User", ev.get(static_field::dstuser));
  append_one_line(to, ev.full_log);
  to.push_back('\n');
  for (const auto& [name, value] : ev.dynamics) {
    if (value.empty()) continue;
    append_one_line(to, name);
    to += ": ";
    append_one_line(to, value);
    to.push_back('\n');
  }
  if (content.previous)
    for (const auto text : *content.previous) {
      append_one_line(to, text);
      to.push_back('\n');
    }
  to.push_back('\n');
}

void append_archive_text(std::string& to, const event& ev, render_scratch& scratch) {
  scratch.moments.append_text(to, ev.arrival_ms, ev.utc_offset_s);
  to.push_back(' ');
  append_origin(to, ev);
  to.push_back(' ');
  append_one_line(to, ev.full_log);
  to.push_back('\n');
}

void append_firewall_line(std::string& to, const event& ev, render_scratch& scratch) {
  scratch.moments.append_text(to, ev.arrival_ms, ev.utc_offset_s);
  to.push_back(' ');
  append_origin(to, ev);
  const auto value = [&](static_field field) { return ev.get(field).value_or(std::string_view{}); };
  const auto action = value(static_field::action);
  const char first = action.empty() ? '\0' : static_cast<char>(action.front() | 0x20);
  std::string_view word = action.find("accept") != std::string_view::npos ? "ALLOW" : "UNKNOWN";
  if (first == 'd' || first == 'r' || first == 'b')
    word = "DROP";
  else if (first == 'c' || first == 't')
    word = "CLOSED";
  else if (first == 'a' || first == 'p' || first == 'o')
    word = "ALLOW";
  to.append(" ").append(word).append(" ");
  append_one_line(to, value(static_field::protocol));
  to.push_back(' ');
  append_one_line(to, value(static_field::srcip));
  to.push_back(':');
  append_one_line(to, value(static_field::srcport));
  to += "->";
  append_one_line(to, value(static_field::dstip));
  to.push_back(':');
  append_one_line(to, value(static_field::dstport));
  to.push_back('\n');
}

} // namespace picket::engine
