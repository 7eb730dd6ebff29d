#pragma once

#include <string>

namespace picket::config {

/// The commented file in which every line shows its default: config/picket.yml.
std::string render_default();
/// The manual's page: docs/configuration.md.
std::string render_manual();

} // namespace picket::config
