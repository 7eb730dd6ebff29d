#include "actors/decoder/event_source.hpp"

#include "engine/event/source.hpp"

namespace picket {

std::shared_ptr<const engine::source> make_event_source(const event_agent* agent, char queue,
                                                        std::string_view location,
                                                        const node_identity& identity) {
  auto path = protocol::unescape_location(location);
  auto fresh = std::make_shared<engine::source>();
  if (agent == nullptr) {
    auto made = engine::make_source(path, identity.manager_name);
    if (made) *fresh = std::move(*made);
  } else {
    *fresh = engine::make_agent_source(agent->id, agent->name, agent->registered_address, path,
                                       identity.manager_name);
    if (!agent->address.empty()) fresh->agent_ip = agent->address;
    fresh->labels = agent->labels;
  }
  fresh->queue = queue;
  fresh->manager_name = identity.manager_name;
  fresh->cluster_name = identity.cluster_name;
  fresh->node_name = identity.node_name;
  return fresh;
}

std::string_view skipped_as(const protocol::event_message& message) noexcept {
  if (message.is_keepalive_notice()) return "notice";
  if (message.queue == '5') return "synchronisation";
  return message.queue == 'u' ? "upgrade" : std::string_view{};
}

std::string_view event_text(const protocol::event_message& message) noexcept {
  return message.text.substr(0, message.text.find('\0'));
}

} // namespace picket
