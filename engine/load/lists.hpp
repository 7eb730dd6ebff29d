#pragma once

#include "engine/load/diagnostic.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace picket::engine {

class match_scratch;
class pattern;

/// The `lookup` of a rule's `list` (decoders.md 5.4).
enum class list_lookup : std::uint8_t {
  match_key,
  not_match_key,
  match_key_value,
  address_match_key,
  not_address_match_key,
  address_match_key_value
};

/// In any letter case; nothing if there is no such look-up.
std::optional<list_lookup> parse_list_lookup(std::string_view text);

/// A CDB list read from its source form (decoders.md 5.2).
class cdb_list {
public:
  /// Never fails; lines that are no entry give warnings.
  static cdb_list parse(std::string_view file, std::string_view bytes, diagnostics& out);

  std::optional<std::string_view> find(std::string_view key) const;
  /// Address search: the whole text, then ever shorter prefixes that end in a dot (decoders.md 5.4).
  std::optional<std::string_view> find_address(std::string_view key) const;
  /// Whether a field value that is present satisfies the look-up. `check_value` may be null: then the two
  /// kinds that need it never hold. `address_match_key_value` has its documented meaning, not the reference's
  /// inverted one.
  bool holds(list_lookup lookup, std::string_view value, const pattern* check_value,
             match_scratch& scratch) const;

  /// In the order of the file, the first line of a key only.
  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

private:
  std::vector<std::pair<std::string, std::string>> entries_;
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::size_t, hash, std::equal_to<>> index_;
  std::size_t longest_key_ = 0; ///< no longer text is worth a look-up
};

} // namespace picket::engine
