#pragma once

#include "engine/load/decoders.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// Reads one `decoder` element: decoders.md 4.1 and 4.2, steps 1 to 9. Null if anything is wrong; everything
/// that is wrong is in `out`. `declared_name` is set in any case, so that what depends on it can be told
/// apart.
std::unique_ptr<decoder> read_decoder(const xml::element& from, std::size_t order_size, diagnostics& out,
                                      std::string& declared_name);

/// Splits a list of field names at commas (decoders.md 4.5): `\,` is a comma of the name, blanks in front are
/// dropped, a name ends at the next blank.
std::vector<std::string> split_names(std::string_view text);

} // namespace picket::engine
