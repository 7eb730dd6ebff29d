#pragma once

#include "engine/event/event.hpp"
#include "engine/load/decoders.hpp"
#include "engine/match/pattern.hpp"
#include "engine/text/arena.hpp"

#include <cstddef>
#include <cstdint>

namespace picket::engine {

class trace;

struct decode_limits {
  std::size_t dynamic_fields = 256; ///< per event, `decoder_order_size` (decoders.md 4.5)
  std::size_t computed_text_bytes =
      1024 * 1024; ///< printed JSON arrays of one event together; more: no field
};

/// What was left out because of a limit; added to, never cleared here.
struct decode_counters {
  std::uint64_t fields_dropped = 0;
  std::uint64_t texts_dropped = 0;
};

/// Finds the decoder of a pre-decoded event and fills `decoder`, `type`, `statics`, `dynamics`:
/// decoders.md 4.4-4.7, sentence by sentence. Computed texts live in `memory`, so reset that only after the
/// event. The OSSECAlert plug-in is off: such an event stays an ordinary one.
void decode(event& ev, const decoder_tree& decoders, match_scratch& scratch, arena& memory,
            const decode_limits& limits = {}, decode_counters* counters = nullptr, trace* listener = nullptr);

} // namespace picket::engine
