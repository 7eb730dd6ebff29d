#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/logtest.hpp"
#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// One line of a file of cases.
struct logtest_case {
  std::vector<std::string> lines; ///< given one after the other to a fresh session
  json expected;                  ///< members that the answer to the last line must have
  std::string name;               ///< what the record says of itself, for people
};

/// Reads a record: `event` (a text, whose line breaks part lines, or a list of texts), `reference` or
/// `expected` (an object), and for its name `file`, `section`, `case`, `name`. Errors: invalid_argument.
result<logtest_case> read_case(const std::string& line);

/// An answer with the members that cases may expect: decoder, parent, rule, level, description, groups,
/// fields, predecoder, alert, and where the rule has them firedtimes, frequency, mitre, info, cve, mail,
/// compliance.
json observed(const engine::logtest_answer& answer);

/// What differs, a line each; empty if every expected member is as expected. `n` is a number of the record
/// and not compared; of `mitre` the ids are, since names come from a table.
std::vector<std::string> differences(const json& expected, const json& got);

} // namespace picket::ctl
