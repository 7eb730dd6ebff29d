#pragma once

#include <functional>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/overflow/interface.hpp"

namespace picket {

inline constexpr std::int64_t overflow_tick_ms = 1'000;

struct overflow_setup {
  std::function<bool()> serve; ///< one round; true: there is more to do at once
  std::function<void()> tick;
};

struct overflow_actor_state {
  overflow_setup setup;
  static inline const char* name = "overflow";
};

overflow_actor::behavior_type overflow(overflow_actor::stateful_pointer<overflow_actor_state> self,
                                       overflow_setup setup);

} // namespace picket
