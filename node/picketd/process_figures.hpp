#pragma once

#include "actors/telemetry/metrics.hpp"

namespace picket {

/// Brings the metrics of the process itself up to date: processor time, memory, descriptors.
void show_process(const metrics& counts);

} // namespace picket
