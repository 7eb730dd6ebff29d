#pragma once

#include <cstdlib>
#include <string_view>

namespace picket::engine::testing {

/// An invariant of a fuzz target.
inline void must(bool holds) {
  if (!holds) std::abort();
}

/// The piece is a view into the whole.
inline bool lies_in(std::string_view piece, std::string_view whole) {
  return piece.data() >= whole.data() && piece.data() + piece.size() <= whole.data() + whole.size();
}

} // namespace picket::engine::testing
