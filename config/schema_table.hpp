#pragma once

#include "config/schema.hpp"

namespace picket::config {

/// The two halves of the one table.
std::span<const setting> edge_settings() noexcept;
std::span<const setting> inner_settings() noexcept;

} // namespace picket::config
