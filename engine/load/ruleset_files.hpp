#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace picket::engine {

enum class file_kind { decoder, rule, list, technique };

/// One file of a rule set, as it is handed to the loaders.
struct ruleset_file {
  file_kind kind = file_kind::decoder;
  std::string
      name; ///< for people and, for lists, the name that rules use ("etc/lists/amazon/aws-eventnames")
  std::string bytes;
};

struct ruleset_limits {
  std::size_t files = 20'000;
  std::size_t total_bytes = 512 * 1024 * 1024;
};

/// Reads a directory with `decoders/`, `rules/` and `lists/`: decoder and rule files ending in ".xml" (any
/// case), not recursively, sorted by name (decoders.md 1.1); then lists, recursively, without ".cdb" files,
/// named `etc/lists/<path below lists/>`; and `techniques.tsv`, where there is one. Decoders come first, then
/// lists, then rules: the order in which they load. A missing `lists/` is fine. Errors: not_found (no such
/// directory, or no decoders/ or rules/), io, limit_reached.
result<std::vector<ruleset_file>> read_ruleset_directory(const std::filesystem::path& directory,
                                                         const ruleset_limits& limits = {});

} // namespace picket::engine
