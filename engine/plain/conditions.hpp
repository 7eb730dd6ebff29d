#pragma once

#include "engine/load/rules.hpp"
#include "engine/plain/scratch.hpp"

namespace picket::engine {

/// One condition on the current event without side effects: all of rules.md 1.4 and 1.5 but check_diff and
/// if_fts.
bool condition_holds(const condition& tested, event_values& values, match_scratch& scratch);

} // namespace picket::engine
