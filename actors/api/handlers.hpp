#pragma once

#include "actors/api/facade.hpp"
#include "actors/api/router.hpp"
#include "picket_build.hpp"

namespace picket::api {

/// The routes by subject. `node` must outlive the router.
void add_agent_routes(router& table, node_facade& node);
void add_agent_change_routes(router& table, node_facade& node);
void add_agent_removal_routes(router& table, node_facade& node);
void add_agent_key_routes(router& table, node_facade& node);
void add_group_routes(router& table, node_facade& node);
void add_deadletter_routes(router& table, node_facade& node);
void add_node_routes(router& table, node_facade& node);
#if PICKET_FAULTS
void add_fault_routes(router& table);
#else
inline void add_fault_routes(router&) {}
#endif

} // namespace picket::api
