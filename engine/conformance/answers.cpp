#include "engine/conformance/answers.hpp"

#include "engine/testing/reference_ruleset.hpp"
#include "picket_paths.hpp"

#include <array>
#include <fstream>
#include <iostream>
#include <iterator>

namespace picket::conformance {

std::string technique_file() {
  std::ifstream table(PICKET_SOURCE_DIR "/config/ruleset/techniques.tsv", std::ios::binary);
  return {std::istreambuf_iterator<char>(table), {}};
}

std::shared_ptr<const engine::ruleset> stock_ruleset(const context& where, bool tests) {
  static std::array<std::shared_ptr<const engine::ruleset>, 2> made;
  auto& at = made[tests ? 1 : 0];
  if (at) return at;
  auto files = testing::reference_ruleset::files(where.data, tests);
  if (files.empty()) return nullptr;
  engine::ruleset_file techniques;
  techniques.kind = engine::file_kind::technique;
  techniques.name = "techniques.tsv";
  techniques.bytes = technique_file();
  files.push_back(std::move(techniques));
  auto compiled = engine::compile(files);
  if (!compiled.ruleset) {
    for (const auto& each : compiled.diagnostics)
      if (each.severity == engine::severity::error) std::cerr << engine::to_string(each) << "\n";
    return nullptr;
  }
  at = compiled.ruleset;
  return at;
}

json session_answer(const engine::logtest_answer& from) {
  json answer = json::object();
  answer["decoder"] = from.decoder ? json(*from.decoder) : json(nullptr);
  answer["parent"] = from.parent ? json(*from.parent) : json(nullptr);
  answer["fields"] = json::parse(from.data, nullptr, false);
  answer["predecoder"] = json::object();
  if (from.program_name) answer["predecoder"]["program_name"] = *from.program_name;
  if (from.hostname) answer["predecoder"]["hostname"] = *from.hostname;
  if (from.timestamp) answer["predecoder"]["timestamp"] = *from.timestamp;
  answer["alert"] = from.alert;
  if (!from.rule) {
    answer["rule"] = answer["level"] = answer["description"] = answer["groups"] = nullptr;
    return answer;
  }
  answer["rule"] = std::to_string(from.rule->id);
  answer["level"] = from.rule->level;
  answer["description"] = from.rule->description;
  answer["groups"] = from.rule->groups;
  if (from.rule->firedtimes) answer["firedtimes"] = *from.rule->firedtimes;
  if (from.rule->frequency) answer["frequency"] = *from.rule->frequency;
  // Tactic names come from a table of ours that may know less; the ids are the rule's.
  if (!from.rule->mitre.ids.empty()) answer["mitre"] = from.rule->mitre.ids;
  return answer;
}

json session_expectation(json expected) {
  expected.erase("n");
  if (expected.contains("mitre")) expected["mitre"] = json(expected["mitre"]["id"]);
  return expected;
}

} // namespace picket::conformance
