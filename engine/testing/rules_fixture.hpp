#pragma once

#include "engine/load/ruleset.hpp"
#include "engine/logtest.hpp"

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::testing {

/// Decoders that most tests use: `json` for lines that begin with `{"`, `pn` for program name pn, `fw` of
/// type firewall.
inline constexpr std::string_view usual_decoders = R"(
<decoder name="json"><prematch>^{\s*"</prematch><plugin_decoder>JSON_Decoder</plugin_decoder></decoder>
<decoder name="pn"><program_name>^pn$</program_name></decoder>
<decoder name="fw"><type>firewall</type><prematch>^fw: </prematch></decoder>
)";

/// Root rule 1 (syslog) as in every rule set.
inline constexpr std::string_view usual_root =
    R"(<group name="base,"><rule id="1" level="0" noalert="1"><category>syslog</category><description>root</description></rule></group>)";

inline engine::ruleset_file make_file(engine::file_kind kind, std::string name, std::string_view bytes) {
  engine::ruleset_file file;
  file.kind = kind;
  file.name = std::move(name);
  file.bytes = bytes;
  return file;
}

/// Compiles a rule file (without the root rule) with the usual decoders and a list `etc/lists/l`.
inline engine::compiled compile_rules(std::string_view rules, engine::compile_options options = {},
                                      std::string_view list = "key:value\n10.:net\n",
                                      std::string_view decoders = usual_decoders) {
  options.rules.log_alert_level = 1;
  std::vector<engine::ruleset_file> files;
  files.push_back(make_file(engine::file_kind::decoder, "decoders.xml", decoders));
  files.push_back(make_file(engine::file_kind::list, "etc/lists/l", list));
  files.push_back(make_file(engine::file_kind::rule, "0000-root.xml", usual_root));
  files.push_back(make_file(engine::file_kind::rule, "rules.xml", rules));
  return engine::compile(files, options);
}

/// `<group name="g,">` around rules.
inline std::string in_group(std::string_view rules) {
  return "<group name=\"g,\">" + std::string{rules} + "</group>";
}

inline constexpr std::int64_t noon_ms = 1'749'038'400'000; ///< Wednesday 2025-06-04 12:00:00 UTC

/// The rule id that a line ends in; 0: none.
inline std::uint32_t rule_of(engine::logtest_session& session, std::string_view line,
                             std::string_view location = "/var/log/test", std::int64_t arrival_ms = noon_ms) {
  const auto answer = session.run(line, location, arrival_ms);
  return answer && answer->rule ? answer->rule->id : 0;
}

/// The first finding with a code; null if there is none.
inline const engine::diagnostic* find_code(const engine::diagnostics& all, std::string_view code) {
  for (const auto& each : all)
    if (each.code == code) return &each;
  return nullptr;
}

} // namespace picket::testing
