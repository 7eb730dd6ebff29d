#pragma once

#include "actors/agent_session/agent_traffic.hpp"
#include "actors/api/envelope.hpp"
#include "actors/api/facade.hpp"

namespace picket::api {

/// "2026-01-02T03:04:05+00:00"
std::string iso_time(std::int64_t ms);

/// The agent object of server-api.md 8.1, and behind it what this node knows of the agent's traffic.
json agent_object(agent_id id, const protocol::agent_row& row, const std::optional<agent_status>& status,
                  const agent_contact& contact, const std::string& node_name);

/// What an agent imports: base64 of "id name ip key" (agent-protocol.md 1.11).
std::string import_key(agent_id id, const protocol::agent_row& row);

/// Name of the agent's connection state; "never_connected" where nothing is known.
std::string state_name(const std::optional<agent_status>& status);

/// The id of a path or list; 0 where it is no id of an agent.
agent_id agent_id_from(const std::string& text) noexcept;

} // namespace picket::api
