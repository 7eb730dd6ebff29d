#include "engine/conformance/runners.hpp"

namespace picket::conformance {

runners make_runners() {
  runners all;
  all.push_back(make_patterns_runner());
  all.push_back(make_xml_runner());
  all.push_back(make_predecode_runner());
  all.push_back(make_lists_runner());
  all.push_back(make_decoders_runner());
  all.push_back(make_rules_runner());
  all.push_back(make_ruleset_cases_runner());
  for (const auto* log : {"OpenSSH_2k", "Linux_2k", "Apache_2k"})
    for (const bool stateful : {true, false})
      all.push_back(make_loghub_runner(log, stateful));
  all.push_back(make_events_runner());
  all.push_back(make_alerts_runner());
  all.push_back(make_alerts_text_runner());
  return all;
}

} // namespace picket::conformance
