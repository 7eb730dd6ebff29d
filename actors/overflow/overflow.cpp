#include "actors/overflow/overflow.hpp"

#include "actors/watch/thread_name.hpp"

#include <chrono>

#include <caf/send.hpp>

namespace picket {

overflow_actor::behavior_type overflow(overflow_actor::stateful_pointer<overflow_actor_state> self,
                                       overflow_setup setup) {
  name_thread("overflow");
  self->state.setup = std::move(setup);
  self->delayed_send(self, std::chrono::milliseconds{overflow_tick_ms}, tick_atom_v);
  return {
      [self](serve_atom) {
        // Again behind what waits in the mailbox, so that a tick is never far away.
        if (self->state.setup.serve()) self->send(self, serve_atom_v);
      },
      [self](tick_atom) {
        self->state.setup.tick();
        if (self->state.setup.serve()) self->send(self, serve_atom_v);
        self->delayed_send(self, std::chrono::milliseconds{overflow_tick_ms}, tick_atom_v);
      },
  };
}

} // namespace picket
