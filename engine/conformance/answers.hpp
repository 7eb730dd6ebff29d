#pragma once

#include "engine/conformance/runner.hpp"
#include "engine/logtest.hpp"

namespace picket::conformance {

/// When log-test answers arrive, where the record does not say: 2025-06-04 12:00:00 UTC.
inline constexpr std::int64_t usual_arrival_ms = 1'749'038'400'000;

/// The stock rule set (`tests`: with the rules of the rule tests), compiled once per program. Null without
/// it.
std::shared_ptr<const engine::ruleset> stock_ruleset(const context& where, bool tests);

/// Our ATT&CK table: names of techniques are not part of a rule set.
std::string technique_file();

/// An answer with the members of `expected/*_2k` and `ruleset-cases`: decoder, parent, rule, level,
/// description, groups, fields, predecoder, alert, firedtimes, frequency, mitre (ids only).
json session_answer(const engine::logtest_answer& from);
/// The same members of an expectation: `n` is dropped, names of mitre too.
json session_expectation(json expected);

} // namespace picket::conformance
