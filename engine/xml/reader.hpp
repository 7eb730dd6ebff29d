#pragma once

#include "engine/load/diagnostic.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace picket::engine::xml {

struct attribute {
  std::string name;
  std::string value;
  engine::place place;
};

/// One element. `text` is what stands between its last child (or its start tag) and its end tag, untouched
/// (decoders.md 1.2).
struct element {
  std::string name;
  std::vector<attribute> attributes;
  std::string text;
  std::vector<element> children;
  engine::place place; ///< of its `<`
};

/// Reads the XML dialect of rule-set files (decoders.md 1.2). Any bytes; linear in their number.
/// Errors: severity error, codes "xml-syntax", "xml-limit".
tl::expected<std::vector<element>, diagnostic> read(std::string_view file, std::string_view bytes);

/// Removes `var` elements and puts their values in place of references (decoders.md 1.4).
/// Errors: code "xml-variable".
tl::expected<void, diagnostic> substitute_variables(std::vector<element>& roots);

} // namespace picket::engine::xml
