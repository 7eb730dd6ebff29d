#pragma once

#include <string>
#include <vector>

#include "actors/agent_session/notice_sink.hpp"

namespace picket::testing {

/// Remembers the events that a node makes about its agents, as "<agent> <location> <text>".
struct recorded_notices final : notice_sink {
  bool take(agent_id agent, const std::string& location, const std::string& text) override {
    if (full) return false;
    taken.push_back(to_text(agent) + " " + location + " " + text);
    return true;
  }
  std::vector<std::string> taken;
  bool full = false; ///< there is no room
};

} // namespace picket::testing
