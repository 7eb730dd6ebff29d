#pragma once

#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/telemetry/event_log.hpp"
#include "engine/load/ruleset.hpp"

namespace picket {

/// Our own rule set: beside the installed program, else where the source lies.
std::filesystem::path own_ruleset_dir();

/// The files of a rule set with our ATT&CK table, if the directory has none of its own.
/// `dir` empty: our own rule set. Errors: not_found, io.
result<std::vector<engine::ruleset_file>> read_ruleset(const std::filesystem::path& dir);

/// Reads and compiles; findings go to the log (at most a few; `picketctl ruleset check` shows all).
/// Errors: ruleset_invalid with the first error's place.
result<std::shared_ptr<const engine::ruleset>>
load_ruleset(const std::filesystem::path& dir, const engine::compile_options& options, event_log& log);

} // namespace picket
