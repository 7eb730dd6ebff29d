#pragma once

#include <filesystem>
#include <string>

#include "cluster-tests/agentsim/blocking_agent.hpp"

namespace picket::harness {

/// The agent of the protocol's worked transcript (agent-protocol.md 11.1).
agentsim::agent_identity transcript_agent();

/// Writes an agent into the registry of a node that is not running, with the id that it names.
void seed_agent(const std::filesystem::path& node_directory, const agentsim::agent_identity& agent);
/// The same for a group.
void seed_group(const std::filesystem::path& node_directory, const std::string& name);

} // namespace picket::harness
