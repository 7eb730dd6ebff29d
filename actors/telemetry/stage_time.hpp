#pragma once

#include <string_view>

#include "actors/telemetry/metrics.hpp"
#include "base/time.hpp"

namespace picket {

/// While it lives, the processor time of this thread counts as that of a stage of the analysis.
class stage_time {
public:
  stage_time(const metrics& counts, std::string_view stage)
      : counts_{counts}
      , stage_{stage}
      , began_ns_{thread_cpu_ns()} {}
  ~stage_time() {
    counts_.stage_seconds_total.add_for(stage_, static_cast<double>(thread_cpu_ns() - began_ns_) * 1e-9);
  }
  stage_time(const stage_time&) = delete;
  stage_time& operator=(const stage_time&) = delete;

private:
  const metrics& counts_;
  std::string_view stage_;
  std::int64_t began_ns_;
};

} // namespace picket
