#pragma once

#include <cstdint>

namespace picket::peer {

/// One of two connections of a pair of nodes.
struct pair_connection {
  std::uint32_t dialled_by = 0; ///< id of the node that dialled
  std::uint32_t boot = 0;       ///< of the other node, as its hello said
};

inline constexpr std::int64_t lively_ms = 1'000;

enum class pair_verdict : std::uint8_t {
  newer,           ///< the one that has just said hello takes the place of the one that stands
  older_duplicate, ///< the one that stands is kept
  older_boot       ///< the one that stands is of a later start of the other node
};

/// A second connection has said hello to its accepting side. `silent_ms`: since the last byte on the one that
/// stands. A node dials only when it knows of no connection, so the newer one is right, except where both
/// dialled at once: then the lower id's is kept, as long as it is alive. Only the accepting side decides.
inline pair_verdict which_to_keep(pair_connection stands, pair_connection fresh, std::int64_t silent_ms,
                                  std::uint32_t lower_id) noexcept {
  if (fresh.boot > stands.boot) return pair_verdict::newer;
  if (fresh.boot < stands.boot) return pair_verdict::older_boot;
  bool crossed = stands.dialled_by == lower_id && fresh.dialled_by != lower_id;
  return crossed && silent_ms < lively_ms ? pair_verdict::older_duplicate : pair_verdict::newer;
}

} // namespace picket::peer
