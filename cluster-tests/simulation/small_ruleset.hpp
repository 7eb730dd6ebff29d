#pragma once

#include <memory>

#include "engine/load/ruleset.hpp"

namespace picket::simulation {

/// Two decoders and one rule: every numbered line raises an alert.
std::shared_ptr<const engine::ruleset> small_ruleset();

} // namespace picket::simulation
