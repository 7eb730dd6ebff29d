#pragma once

namespace picket::engine {

struct ruleset;

/// Gives every composite its window index, and every rule the indexes that its verdicts are entered in
/// (engine.md 3.6).
void plan_windows(ruleset& of);

} // namespace picket::engine
