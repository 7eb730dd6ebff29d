#pragma once

#include "config/load.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace picket::config {

/// One `key: value` of the file, its key dotted.
struct yaml_entry {
  std::string key;
  std::string value;
  bool is_null = false; ///< nothing stands behind the colon
  bool is_map = false;  ///< a section
  bool is_list = false; ///< plain values stand in `value`, a comma between
  bool is_deep = false; ///< a list that holds something else than plain values
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Reads the events of one YAML document into entries; syntax errors, anchors, aliases and keys that stand
/// twice become problems. Never throws.
std::vector<yaml_entry> read_yaml(std::string_view yaml, const std::string& file_name,
                                  std::vector<problem>& problems) noexcept;

} // namespace picket::config
