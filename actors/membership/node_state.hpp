#pragma once

#include <cstdint>

namespace picket {

/// Of a node, as another one sees it.
enum class node_state : std::uint8_t {
  up,
  suspect, ///< silent for longer than usual; still counts as there
  down
};

} // namespace picket
