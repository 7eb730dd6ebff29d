#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/agent_session/interface.hpp"
#include "actors/membership/node_state.hpp"
#include "actors/registry/interface.hpp"

namespace picket {

/// The cluster as this node sees it.
struct cluster_view {
  struct member {
    std::uint32_t id = 0;
    std::string name;
    std::string version;
    node_state state = node_state::up;
  };
  std::uint64_t number = 0; ///< grows with each change
  std::vector<member> members;
};

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_membership, caf::first_custom_type_id + 110)

CAF_ADD_ATOM(picket_membership, picket, proven_atom, "proven")
CAF_ADD_ATOM(picket_membership, picket, view_atom, "view")
CAF_ADD_ATOM(picket_membership, picket, flush_atom, "flush")

CAF_ADD_TYPE_ID(picket_membership, (picket::cluster_view))

CAF_END_TYPE_ID_BLOCK(picket_membership)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::cluster_view)

namespace picket {

/// MEMBERSHIP: which nodes there are, and which agents are there. On one node the view is that node.
///
/// Owns the sweep over the agents' states (every 5 s), their storing (every second), and the list of agents
/// that have proven their key (proposed once a second). Runs on a thread of its own, since it writes to the
/// disk. Bound: the list of proven agents holds each agent once. Membership dies: the node stops. Freezes:
/// states grow old, agents are not affected. The registry does not answer: the proven agents stay on the
/// list.
using membership_actor = caf::typed_actor<
    // From the I/O side: an agent that was unconfirmed has opened a record with its key.
    //   -> no answer
    caf::reacts_to<proven_atom, std::uint32_t>,
    // Conform to the protocol of the registry's subscribers: status of removed agents is forgotten.
    caf::reacts_to<changed_atom, registry::changes_ptr>,
    // From the API and whoever chooses among nodes.
    //   -> the view of this moment
    caf::replies_to<view_atom>::with<cluster_view>,
    // From the node that stops: store what has changed.
    //   -> true; false if the disk refused
    caf::replies_to<flush_atom>::with<bool>,
    // INTERNAL: every second.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

} // namespace picket
