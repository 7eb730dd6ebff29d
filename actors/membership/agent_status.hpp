#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "protocol/agent/connection_state.hpp"
#include "protocol/agent/control.hpp"

namespace picket {

/// What is known of an agent beyond its registration: whether it is there, and what it said of itself.
struct agent_status {
  std::uint64_t registration = 0; ///< of the row that it belongs to; another one starts anew
  protocol::connection_state connection;
  protocol::keepalive last_keepalive; ///< as parsed; empty before the first
  bool synced = true;                 ///< the agent has the configuration of its groups

  friend bool operator==(const agent_status&, const agent_status&) = default;
};

/// As a row of the table `agent_status`: a versioned msgpack map; unknown keys are skipped.
std::string encode_status(const agent_status& status);
result<agent_status> decode_status(std::string_view bytes) noexcept;

/// Status of all agents of this node. Thread-safe; written by sessions and the sweep, read by the decoder
/// (address and labels), the enroller (evidence), the API. Bound: one entry for each registered agent.
class agent_status_table {
public:
  /// Changes an entry, made if it is missing, under its lock; marks it as to be stored. Keep `change` short.
  void update(agent_id id, const std::function<void(agent_status&)>& change);
  std::optional<agent_status> get(agent_id id) const;
  void erase(agent_id id);
  /// Puts back what was stored, without marking it.
  void load(agent_id id, agent_status status);
  /// Visits every entry under its lock; `visit` returns true if it changed the entry.
  void sweep(const std::function<bool(agent_id, agent_status&)>& visit);

  /// They could not be stored: they come with the next `take_dirty` again.
  void mark_dirty(const std::vector<agent_id>& ids);

  /// Entries that changed since the last call, encoded; nothing for erased ones. At most `limit`.
  std::vector<std::pair<agent_id, std::optional<std::string>>> take_dirty(std::size_t limit);

  /// Grows whenever an address or a label of any agent changes: what was derived from them is stale then.
  std::uint64_t identity_generation() const noexcept { return generation_.load(std::memory_order_acquire); }

private:
  static constexpr std::size_t stripes = 64;
  struct stripe {
    mutable std::mutex mutex;
    std::unordered_map<agent_id, agent_status> entries;
    std::unordered_set<agent_id> dirty;
  };
  stripe& of(agent_id id) { return stripes_[id % stripes]; }
  const stripe& of(agent_id id) const { return stripes_[id % stripes]; }

  std::array<stripe, stripes> stripes_;
  std::atomic<std::uint64_t> generation_{1};
};

} // namespace picket
