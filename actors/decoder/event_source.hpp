#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event/event.hpp"
#include "protocol/agent/event_message.hpp"

namespace picket {

/// Names of this node as alerts print them.
struct node_identity {
  std::string manager_name; ///< host name
  std::string cluster_name; ///< empty: alone
  std::string node_name;
};

/// What alerts say of an agent.
struct event_agent {
  std::string id; ///< as text
  std::string name;
  std::string registered_address;
  std::string address; ///< as its last keep-alive said; may be empty
  std::vector<engine::label> labels;
};

/// Where an event comes from. `agent` null: the node itself. `location`: as sent, escaped.
std::shared_ptr<const engine::source> make_event_source(const event_agent* agent, char queue,
                                                        std::string_view location,
                                                        const node_identity& identity);

/// Messages that never become events: answers to synchronisation and upgrades, and the keep-alive that is
/// also sent as an event (events-and-alerts.md 1.2). Empty: it is an event; else the label it is counted by.
std::string_view skipped_as(const protocol::event_message& message) noexcept;

/// The text of an event: it ends at its first NUL.
std::string_view event_text(const protocol::event_message& message) noexcept;

} // namespace picket
