#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "store/registry/view.hpp"

namespace picket::store {

/// A row's key as the shared store spells it below its prefix: "agent/0000000a", "group/web", "head",
/// "log/0000000000000007". Numbers are lower-case hex of fixed width, so that they sort as numbers.
std::string key_text(registry_table table, std::string_view key);

/// The other way. What is not exactly the spelling of a known table is `other`, with the text as its key, so
/// `key_text` gives back every text.
std::pair<registry_table, std::string> parse_key_text(std::string_view text);

} // namespace picket::store
