#pragma once

#include "engine/event/event.hpp"

#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace picket::engine {

/// Splits `ev.full_log` into `timestamp`, `hostname_in_log`, `program_name` and `log` with the byte in front
/// of it (decoders.md 3.2-3.5, 3.8), and sets `hostname` as rules see it (3.6). Other members are left alone.
/// `ev.source` may be null: then `hostname` is the pre-decoded one or empty.
void predecode(event& ev);

/// `predecoder.hostname` of alerts, found independently of `predecode` (decoders.md 3.6).
std::optional<std::string_view> alert_hostname(std::string_view full_log);

} // namespace picket::engine
