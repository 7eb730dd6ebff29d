#pragma once

#include "engine/event/event.hpp"
#include "engine/match/pattern.hpp"
#include "engine/text/arena.hpp"

namespace picket::engine {

// Decoders that are programs (decoders.md 4.7). Each works on `ev.log` and stops at the first condition that
// fails, keeping what was set.

/// OpenBSD pf (4.7.1).
void decode_pf(event& ev);
/// Symantec Web Security (4.7.2).
void decode_symantec_ws(event& ev);
/// SonicWall (4.7.3). Changes the event's type, never the decoder's.
void decode_sonicwall(event& ev, match_scratch& scratch, arena& memory);

} // namespace picket::engine
