#pragma once

#include <string>

#include "base/ids.hpp"

namespace picket {

/// Takes events that the node itself makes about an agent ("Agent stopped") into the agent's shard, behind
/// what was read from the agent before. Thread-safe.
class notice_sink {
public:
  virtual ~notice_sink() = default;
  /// `location`: without the agent's tag, for example "wazuh-remoted". `agent` 0: the node's own event.
  /// False: no room; the caller tries again later.
  virtual bool take(agent_id agent, const std::string& location, const std::string& text) = 0;
};

} // namespace picket
