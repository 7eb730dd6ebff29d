#pragma once

#include "engine/load/diagnostic.hpp"
#include "engine/xml/reader.hpp"

#include <functional>
#include <string>
#include <vector>

namespace picket::engine {

/// Which files the `<ruleset>` block of a reference configuration names (decoders.md 1.1 and 5.1), in load
/// order. Names are as spelled there: directory and file name joined by `/`.
struct ruleset_selection {
  std::vector<std::string> decoders;
  std::vector<std::string> rules;
  std::vector<std::string> lists;
};

/// The files of a directory by name, not below it; empty if there is none.
using directory_lister = std::function<std::vector<std::string>(const std::string& directory)>;

/// Reads the blocks among `roots`; only the last one counts. `exists` tells whether an included file can be
/// read. Errors make the selection worthless: unknown elements, a directory with attributes but no `pattern`.
ruleset_selection select_ruleset_files(const std::vector<xml::element>& roots, const directory_lister& list,
                                       const std::function<bool(const std::string& file)>& exists,
                                       diagnostics& out);

} // namespace picket::engine
