#pragma once

#include <cstdint>
#include <string>

namespace picket {

/// Number of an agent. 0 is the node itself ("000" in alerts).
using agent_id = std::uint32_t;

/// As it is written everywhere: at least three digits.
inline std::string to_text(agent_id id) {
  auto digits = std::to_string(id);
  return digits.size() < 3 ? std::string(3 - digits.size(), '0') + digits : digits;
}

/// Number of a shard of the node's work, 0 to shards - 1.
using shard_id = std::uint16_t;

/// Names a batch for ever: `node` and `boot` make `sequence` unique.
struct batch_id {
  std::uint32_t node = 0;
  std::uint32_t boot = 0;
  std::uint64_t sequence = 0;

  friend bool operator==(const batch_id&, const batch_id&) = default;
};

} // namespace picket
