#include "engine/event/source.hpp"

#include <utility>

namespace picket::engine {

namespace {

constexpr std::size_t location_bytes_max = 8'450;

/// `(name) ip->path` as alerts take it apart; anything else is a location as it stands.
void read_tag(std::string_view text, location_parts& into) {
  if (text.empty() || text.front() != '(') {
    into.alert_location = std::string(text);
    return;
  }
  auto close = text.find(')');
  into.agent_name =
      std::string(close == std::string_view::npos ? std::string_view() : text.substr(1, close - 1));
  auto arrow_head = text.find('>');
  if (arrow_head == std::string_view::npos) return;
  into.alert_location = std::string(text.substr(arrow_head + 1));
  if (close == std::string_view::npos || close + 3 > arrow_head || text[arrow_head - 1] != '-') return;
  auto ip = text.substr(close + 2, arrow_head - 1 - (close + 2));
  if (!ip.empty() && ip != "any") into.agent_ip = std::string(ip);
}

} // namespace

tl::expected<queue_message, message_defect> split_message(std::string_view message) {
  message = message.substr(0, message.find('\0'));
  if (message.size() < 4) return tl::unexpected(message_defect::too_short);
  queue_message split;
  split.queue = message[0];
  for (std::size_t i = 2; i < message.size(); ++i) {
    char c = message[i];
    if (c == ':') {
      split.text = message.substr(i + 1);
      return split;
    }
    if (c == '|' && i + 1 < message.size()) c = message[++i];
    if (split.location.size() < location_bytes_max) split.location.push_back(c);
  }
  return tl::unexpected(message_defect::no_location);
}

tl::expected<location_parts, message_defect> split_location(std::string_view location) {
  location_parts parts;
  parts.agent_id = "000";
  if (location.empty() || location.front() != '[') {
    parts.rule_location = std::string(location);
    read_tag(location, parts);
    parts.named_by_host = parts.agent_name.has_value();
    parts.agent_name.reset();
    return parts;
  }
  auto close = location.find(']');
  if (close == std::string_view::npos) return tl::unexpected(message_defect::open_agent);
  parts.from_agent = true;
  parts.agent_id = std::string(location.substr(1, close - 1));
  auto rest = close + 2 <= location.size() ? location.substr(close + 2) : std::string_view();
  parts.rule_location = std::string(rest);
  read_tag(rest, parts);
  return parts;
}

std::string_view short_name(std::string_view host) noexcept { return host.substr(0, host.find('.')); }

tl::expected<source, message_defect> make_source(std::string_view location, std::string_view manager_name) {
  auto parts = split_location(location);
  if (!parts) return tl::unexpected(parts.error());
  source made;
  made.agent_id = std::move(parts->agent_id);
  made.agent_name = parts->from_agent ? parts->agent_name.value_or("") : std::string(manager_name);
  made.agent_ip = parts->agent_ip.value_or("");
  made.location = parts->alert_location.value_or("");
  made.location_shown = parts->alert_location.has_value();
  made.rule_location = std::move(parts->rule_location);
  made.from_agent = parts->from_agent;
  made.manager_name = std::string(manager_name);
  return made;
}

source make_agent_source(std::string_view id, std::string_view name, std::string_view registered_ip,
                         std::string_view path, std::string_view manager_name) {
  source made;
  made.agent_id = std::string(id);
  made.agent_name = std::string(name);
  if (registered_ip != "any") made.agent_ip = std::string(registered_ip);
  made.location = std::string(path);
  made.rule_location.append("(").append(name).append(") ").append(registered_ip).append("->").append(path);
  made.from_agent = true;
  made.manager_name = std::string(manager_name);
  return made;
}

} // namespace picket::engine
