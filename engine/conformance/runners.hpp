#pragma once

#include "engine/conformance/runner.hpp"

namespace picket::conformance {

std::unique_ptr<runner> make_patterns_runner();
std::unique_ptr<runner> make_xml_runner();
std::unique_ptr<runner> make_predecode_runner();
std::unique_ptr<runner> make_lists_runner();
std::unique_ptr<runner> make_decoders_runner();
std::unique_ptr<runner> make_rules_runner();
std::unique_ptr<runner> make_ruleset_cases_runner();
/// `log`: name of a file below loghub/ without ".log"; `stateful`: one session for all lines.
std::unique_ptr<runner> make_loghub_runner(std::string log, bool stateful);
std::unique_ptr<runner> make_events_runner();
std::unique_ptr<runner> make_alerts_runner();
std::unique_ptr<runner> make_alerts_text_runner();

} // namespace picket::conformance
