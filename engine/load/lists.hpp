#pragma once

#include "engine/load/diagnostic.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace picket::engine {

/// A CDB list read from its source form (decoders.md 5.2).
class cdb_list {
public:
  /// Never fails; lines that are no entry give warnings.
  static cdb_list parse(std::string_view file, std::string_view bytes, diagnostics& out);

  std::optional<std::string_view> find(std::string_view key) const;
  /// Address search: the whole text, then ever shorter prefixes that end in a dot (decoders.md 5.4).
  std::optional<std::string_view> find_address(std::string_view key) const;
  /// In the order of the file, the first line of a key only.
  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

private:
  std::vector<std::pair<std::string, std::string>> entries_;
  std::unordered_map<std::string, std::size_t> index_;
};

} // namespace picket::engine
