#pragma once

#include <string>

#include "engine/logtest.hpp"
#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// The answer to one line as `--json` prints it: predecoder, decoder, data, rule or null, alert. Members of
/// `rule` are those of alerts.json (events-and-alerts.md 10), level 0 too. `document`: with the alert or
/// archived event itself.
json answer_json(const engine::logtest_answer& answer, bool document);

/// The same in three phases, for people.
std::string answer_text(const engine::logtest_answer& answer);

} // namespace picket::ctl
