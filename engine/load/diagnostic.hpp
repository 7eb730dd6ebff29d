#pragma once

#include <string>
#include <vector>

namespace picket::engine {

enum class severity { note, warning, error };

/// Where in a rule-set file. Lines and columns count from 1; 0 means unknown.
struct place {
  std::string file;
  int line = 0;
  int column = 0;
};

/// One finding about a rule-set file, for people who write rules: what is wrong, where, how to mend it.
struct diagnostic {
  engine::severity severity = engine::severity::error;
  engine::place place;
  int rule = -1;    ///< id of the rule concerned, -1 if none
  std::string code; ///< stable short name, for example "unknown-element"; tests and tools match it
  std::string text; ///< what
  std::string hint; ///< how to mend it
};

using diagnostics = std::vector<diagnostic>;

bool has_errors(const diagnostics& list);
/// "file:line:column: error: text [code]; hint".
std::string to_string(const diagnostic& d);

} // namespace picket::engine
