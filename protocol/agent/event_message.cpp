#include "protocol/agent/event_message.hpp"

namespace picket::protocol {

std::optional<event_message> parse_event_message(std::string_view message) noexcept {
  if (message.size() < 4 || message[1] != ':') return std::nullopt;
  for (std::size_t i = 2; i < message.size(); ++i) {
    if (message[i] == '|') {
      ++i;
    } else if (message[i] == ':') {
      event_message event;
      event.queue = message[0];
      event.location = message.substr(2, i - 2);
      event.text = message.substr(i + 1);
      return event;
    }
  }
  return std::nullopt;
}

std::string escape_location(std::string_view location) {
  std::string escaped;
  escaped.reserve(location.size());
  for (char c : location) {
    if (c == '|' || c == ':') escaped += '|';
    escaped += c;
  }
  return escaped;
}

std::string unescape_location(std::string_view escaped) {
  std::string location;
  location.reserve(escaped.size());
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '|' && i + 1 < escaped.size() && (escaped[i + 1] == '|' || escaped[i + 1] == ':')) ++i;
    location += escaped[i];
  }
  return location;
}

std::string format_event_message(char queue, std::string_view location, std::string_view text) {
  std::string message{queue, ':'};
  message += escape_location(location);
  message += ':';
  message += text;
  return message;
}

std::string source_tag(std::string_view id, std::string_view name, std::string_view registered_address) {
  std::string tag = "[";
  tag.append(id).append("] (").append(name).append(") ").append(registered_address);
  return tag;
}

notice_event format_notice(agent_notice notice, std::string_view id, std::string_view name,
                           std::string_view registered_address) {
  auto named = [&](std::string_view what, std::string_view joint) {
    std::string text = "ossec: Agent ";
    text.append(what).append(": '").append(name).append(joint).append(registered_address).append("'.");
    return text;
  };
  notice_event event;
  switch (notice) {
  case agent_notice::stopped:
    event.location = source_tag(id, name, registered_address) + "->wazuh-remoted";
    event.text = named("stopped", "->");
    break;
  case agent_notice::disconnected:
    event.location = source_tag(id, name, registered_address) + "->wazuh-monitord";
    event.text = named("disconnected", "-");
    break;
  case agent_notice::removed:
    event.location = "wazuh-monitord";
    event.text = named("removed", "-");
    break;
  case agent_notice::cloned:
    event.location = source_tag(id, name, registered_address) + "->wazuh-remoted";
    event.text = named("cloned", "->");
    break;
  }
  return event;
}

} // namespace picket::protocol
