#pragma once

#include <memory>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/decoder/record_reader.hpp"
#include "actors/dispatcher/interface.hpp"

namespace picket {

struct decoder_state {
  std::shared_ptr<const metrics> counts;
  std::unique_ptr<record_reader> reader;
  rule_actor rule;
  static inline const char* name = "decoder";
};

decoder_actor::behavior_type decoder(decoder_actor::stateful_pointer<decoder_state> self, reader_setup setup,
                                     rule_actor rule);

} // namespace picket
