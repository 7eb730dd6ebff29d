#pragma once

#include <string>

namespace picket::ctl {

/// Pages of the manual made from the tables of the source, as Markdown: docs/log-events.md, docs/metrics.md,
/// docs/errors.md. `scripts/generate-docs` writes them, a test compares.
std::string render_log_events();
std::string render_metrics();
std::string render_errors();

} // namespace picket::ctl
