#pragma once

#include "config/schema.hpp"

namespace picket::config {

/// The parts of the one table, in its order.
std::span<const setting> edge_settings() noexcept;
std::span<const setting> enrollment_rows() noexcept;
std::span<const setting> inner_settings() noexcept;

} // namespace picket::config
