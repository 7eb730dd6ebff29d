#pragma once

#include "base/telemetry/event_log.hpp"
#include "config/settings.hpp"

namespace picket {

/// Lets the process have as many files open as it may, and if the limits of connections ask for more than
/// that lowers them: connections must never take the descriptors that journal and registry need.
void fit_to_descriptors(config::settings& settings, event_log& log);

/// The same with a number given. False: nothing had to be lowered.
bool fit_to_descriptors(config::settings& settings, std::int64_t descriptors);

} // namespace picket
