#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

namespace picket {

/// Control messages that one batch brought for one session, in order.
struct control_batch {
  struct message {
    std::string text;
    std::int64_t arrival_ms = 0; ///< wall clock
  };
  std::vector<message> messages;
};
using control_batch_ptr = std::shared_ptr<const control_batch>;

} // namespace picket

CAF_BEGIN_TYPE_ID_BLOCK(picket_session, caf::first_custom_type_id + 50)

CAF_ADD_ATOM(picket_session, picket, control_atom, "control")
CAF_ADD_ATOM(picket_session, picket, to_agent_atom, "toAgent")
CAF_ADD_ATOM(picket_session, picket, closed_atom, "closed")
CAF_ADD_ATOM(picket_session, picket, tick_atom, "tick")

CAF_ADD_TYPE_ID(picket_session, (picket::control_batch_ptr))

CAF_END_TYPE_ID_BLOCK(picket_session)

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(picket::control_batch_ptr)

namespace picket {

/// The AGENT SESSION: one connection that is bound to an agent. Control messages, acknowledgements, what is
/// sent to the agent.
///
/// Bound: one message of `control` for each batch that holds records of this agent, and the pool bounds
/// those. The connection ends: the session gets `closed` and quits; the agent's state stays until its timer
/// decides. A newer connection takes the agent: the session goes on reading control messages of the old one's
/// rest, and writes nothing any more. The session dies: acknowledgements stop, the agent connects anew within
/// 60 s. The decoder freezes: records wait; the session acknowledges by timer every 10 s, so that the agent
/// stays.
using agent_session_actor = caf::typed_actor<
    // From the decoder: control messages found in sealed records, and from the I/O side those that came
    // before.
    //   -> no answer; what is malformed is counted and logged
    caf::reacts_to<control_atom, control_batch_ptr>,
    // From whoever has something for the agent (`to_agent`): a whole control message.
    //   -> true if it was queued for the connection; false: superseded, ended or no room. Nothing is kept
    //   then.
    caf::replies_to<to_agent_atom, std::string>::with<bool>,
    // From the I/O side or, if records of the connection still wait, from the decoder behind the last of
    // them: the connection is gone.
    //   -> no answer; the session quits
    caf::reacts_to<closed_atom>,
    // INTERNAL: every 10 s, acknowledge if records wait unopened or reading is paused.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

} // namespace picket
