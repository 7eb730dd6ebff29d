#pragma once

#include <caf/atom.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/agent_session/interface.hpp"

CAF_BEGIN_TYPE_ID_BLOCK(picket_overflow, caf::first_custom_type_id + 260)

CAF_ADD_ATOM(picket_overflow, picket, serve_atom, "serve")

CAF_END_TYPE_ID_BLOCK(picket_overflow)

namespace picket {

/// The OVERFLOW: moves batches between the pool and the overflow files, and gives connections their turns
/// while room is scarce.
///
/// Runs on a thread of its own, since it waits for the disk. Bound: one `serve` waits at most; what it moves
/// is bounded by `overflow.max_bytes` and the disk's watermark, what it reads back by 16 MiB. The disk is
/// full or refuses: the batches stay in the pool, which fills, and connections are throttled and paused; it
/// is tried again every second. The overflow freezes: as when the disk is full, and what lies in files waits.
/// It dies: the node stops; everything is in the pool and in the files.
using overflow_actor = caf::typed_actor<
    // From the intake: segments are short, a batch must be forced to the disk, or one must be read back.
    //   -> no answer; shards that waited are announced to the dispatcher
    caf::reacts_to<serve_atom>,
    // INTERNAL: every second; looks for room again, and gives one round of turns.
    //   -> no answer
    caf::reacts_to<tick_atom>>;

} // namespace picket
