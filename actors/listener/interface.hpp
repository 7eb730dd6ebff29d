#pragma once

#include <cstdint>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/registry/interface.hpp"

namespace picket {

struct listener_status {
  std::size_t connections = 0;
  std::size_t sessions = 0;
  std::uint64_t refused = 0;
};

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_listener, caf::first_custom_type_id + 140)

CAF_ADD_ATOM(picket_listener, picket, stop_atom, "stop")

CAF_ADD_TYPE_ID(picket_listener, (picket::listener_status))

CAF_END_TYPE_ID_BLOCK(picket_listener)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::listener_status)

namespace picket {

/// The LISTENER: the agent port. Owns its sockets and I/O threads; spawns a session for each agent that
/// proves itself.
///
/// Bound: `ingest.max_connections` in all, `ingest.max_connections_per_address` from one address, both
/// checked before anything is read; what is read goes into the pool, and a connection is paused while that is
/// full. The listener dies: the node stops. An I/O thread freezes: its agents leave after 60 s; a balancer's
/// check notices.
using listener_actor = caf::typed_actor<
    // Conform to the protocol of the registry's subscribers: connections of agents that were removed, or that
    // have another key now, are closed.
    caf::reacts_to<changed_atom, registry::changes_ptr>,
    // From the node that stops: accept no more, take what has been read, end the connections.
    //   -> once nothing more can come: true, or false if bytes that were read found no room in time
    caf::replies_to<stop_atom>::with<bool>,
    // From the API.
    //   -> figures of this moment
    caf::replies_to<status_atom>::with<listener_status>>;

} // namespace picket
