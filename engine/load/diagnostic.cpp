#include "engine/load/diagnostic.hpp"

#include <algorithm>

namespace picket::engine {

bool has_errors(const diagnostics& list) {
  return std::any_of(list.begin(), list.end(), [](const auto& d) { return d.severity == severity::error; });
}

std::string to_string(const diagnostic& d) {
  std::string text = d.place.file;
  if (d.place.line > 0) text += ":" + std::to_string(d.place.line) + ":" + std::to_string(d.place.column);
  switch (d.severity) {
  case severity::note:
    text += ": note: ";
    break;
  case severity::warning:
    text += ": warning: ";
    break;
  case severity::error:
    text += ": error: ";
    break;
  }
  text += d.text;
  if (!d.code.empty()) text += " [" + d.code + "]";
  if (!d.hint.empty()) text += "; " + d.hint;
  return text;
}

} // namespace picket::engine
