#pragma once

#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include "actors/agent_session/interface.hpp"
#include "actors/registry/interface.hpp"

namespace picket {

/// The MONITOR: looks at the node once a second, as its operator would: disks, the age of the oldest record,
/// the journal, the room, whether the dispatcher answers. Says when the node stops or begins to be ready,
/// tells of a clock that jumped, keeps the rates of the last minute and lets the log tell what it held back.
///
/// Runs on a thread of its own, since asking a disk may wait for it; others read its findings from a board
/// and never wait. Bound: one question to the dispatcher at a time. The monitor dies: the node stops. It
/// freezes: the board says that nothing is known any more, so the node is not ready.
using monitor_actor = caf::typed_actor<
    // From the node that starts.
    //   -> true, once it has looked for the first time
    caf::replies_to<status_atom>::with<bool>,
    // INTERNAL: every second, look.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

} // namespace picket
