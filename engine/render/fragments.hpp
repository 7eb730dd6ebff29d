#pragma once

#include "engine/load/rules.hpp"

namespace picket::engine {

/// Writes the parts of a rule's alerts that are the same for every event (events-and-alerts.md 10.2).
rule_fragments make_fragments(const rule& of);

} // namespace picket::engine
