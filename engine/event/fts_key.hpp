#pragma once

#include "engine/event/event.hpp"

#include <string>

namespace picket::engine {

/// True if the matched decoder names fields for first-time-seen.
bool has_fts(const event& ev) noexcept;

/// The key by which an event is "first time seen" (decoders.md 4.9, rules.md 5); at most 256 bytes. Empty if
/// the matched decoder has no `fts`. Shortening for decoders of type `ids` is the store's part.
std::string fts_key(const event& ev);

} // namespace picket::engine
