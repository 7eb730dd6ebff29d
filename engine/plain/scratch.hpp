#pragma once

#include "engine/event/event.hpp"
#include "engine/load/rules.hpp"
#include "engine/match/pattern.hpp"
#include "engine/state/effects.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// The value of an operand in an event; nothing if the event does not have it.
class event_values {
public:
  /// Begins a new event. `slots` names of dynamic fields are known to the rule set.
  void begin(const event& ev, const slot_names& slots);
  std::optional<std::string_view> get(const operand& of);
  const event& current() const { return *event_; }
  /// Local minute and day of the event's arrival.
  const local_moment& moment();

private:
  struct slot {
    std::uint32_t epoch = 0;
    std::optional<std::string_view> value;
  };
  const event* event_ = nullptr;
  const slot_names* names_ = nullptr;
  std::uint32_t epoch_ = 0;
  std::vector<slot> slots_; ///< looked up once per event
  std::optional<local_moment> moment_;
};

/// Memory that the rule walk uses again for every event; one per thread of work.
struct rule_scratch {
  event_values values;
  engine::effects effects;
  std::vector<std::string_view> previous; ///< texts of previous events, newest first (rules.md 4.6)
  std::string_view previous_log;          ///< of check_diff; null: none
  std::string key;
  std::vector<std::string> claimed; ///< first-seen keys that this event has stored already, see evaluate.cpp
};

} // namespace picket::engine
