#pragma once

#include "actors/registry/decide.hpp"

namespace picket::registry {

/// The family of rules for enrollment (agent-protocol.md 1.8, registry.md 6.1). Writes into `out`.
void decide_agent_add(const store::registry_view& view, const protocol::agent_add& add,
                      const decide_context& context, decision& out);

/// Takes an agent away and leaves its row in `removed`, so that the id never returns.
void remove_agent(agent_id id, const protocol::agent_row& row, const std::string& why,
                  const decide_context& context, decision& out);

} // namespace picket::registry
