#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "engine/state/shard_state.hpp"

#include <memory>

namespace picket::engine {

/// Version of the form below. Readers skip map keys that they do not know, so a new key needs no new version.
inline constexpr unsigned state_version = 1;

/// Appends the whole state as msgpack: a map with "version", "clock", "change", "seed", "windows", "diffs",
/// "accumulated_number" and "accumulated". Tables of windows go by content, never by a number of a rule set.
void encode(const shard_state& from, byte_buffer& to);

/// Reads what `encode` wrote. Errors: corrupt.
result<std::unique_ptr<shard_state>> decode_state(byte_view bytes, const shard_limits& limits = {});

/// Appends all that changed since the last call, and forgets it: events remembered, marks changed on earlier
/// ones, texts of check_diff, accumulated fields. What was dropped follows from the same limits. Needs
/// `track_changes`.
void encode_changes(shard_state& of, byte_buffer& to);

/// Brings a copy up to date. Applying the same changes again has no effect. Errors: corrupt (the copy is then
/// of no use); not_found if changes before these are missing: ask for the whole state.
result<void> apply_changes(shard_state& copy, byte_view bytes);

/// Connects the state with another rule set: windows of the same content go on (engine.md 1.4). `evaluate`
/// does it by itself; this is for those who want the report.
switch_report rebind(shard_state& state, const ruleset& to);

} // namespace picket::engine
