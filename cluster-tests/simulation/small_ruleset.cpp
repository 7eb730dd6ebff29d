#include "cluster-tests/simulation/small_ruleset.hpp"

#include <gtest/gtest.h>

namespace picket::simulation {

std::shared_ptr<const engine::ruleset> small_ruleset() {
  static const auto rules = [] {
    std::vector<engine::ruleset_file> files;
    files.push_back({engine::file_kind::decoder, "d.xml",
                     "<decoder name=\"app\"><program_name>app</program_name></decoder>"
                     "<decoder name=\"other\"><prematch>^other</prematch></decoder>"});
    files.push_back(
        {engine::file_kind::rule, "r.xml",
         "<group name=\"sim,\"><rule id=\"1\" level=\"0\" noalert=\"1\"><category>syslog</category>"
         "<description>root</description></rule><rule id=\"900900\" level=\"5\"><if_sid>1</if_sid>"
         "<decoded_as>app</decoded_as><description>a line</description></rule></group>"});
    auto compiled = engine::compile(files, {});
    for (const auto& finding : compiled.diagnostics)
      ADD_FAILURE() << engine::to_string(finding);
    return compiled.ruleset;
  }();
  return rules;
}

} // namespace picket::simulation
