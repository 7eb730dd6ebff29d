#include "actors/decoder/decoder.hpp"

#include <caf/send.hpp>

#include "actors/telemetry/stage_time.hpp"

namespace picket {

decoder_actor::behavior_type decoder(decoder_actor::stateful_pointer<decoder_state> self, reader_setup setup,
                                     rule_actor rule) {
  self->state.counts = setup.counts;
  self->state.reader = std::make_unique<record_reader>(std::move(setup));
  self->state.rule = std::move(rule);
  return {
      [self](open_atom, const work_ptr& what) {
        std::vector<session_messages> control;
        {
          stage_time counted{*self->state.counts, "open"};
          control = self->state.reader->read(*what);
        }
        // Sessions first: an acknowledgement must not wait for the analysis. And messages before the end: a
        // farewell is the last thing that a session hears.
        for (auto& one : control)
          self->send(one.session, control_atom_v, control_batch_ptr{std::move(one.messages)});
        for (auto& session : self->state.reader->settle(*what))
          self->send(session, closed_atom_v);
        self->send(self->state.rule, evaluate_atom_v, what);
      },
  };
}

} // namespace picket
