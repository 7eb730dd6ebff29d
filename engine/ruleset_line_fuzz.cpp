// A rule set and a line together: what the input says of decoders and rules is compiled, and if it compiles
// the line goes through it. Any rule set and any line are survived within the limits, and every alert is one
// line of JSON.
//
// The input is three parts with a NUL between: decoders, rules, the line. The parts are wrapped so that a
// small change reaches far: a root rule and a decoder are always there.

#include "engine/api.hpp"
#include "engine/event/source.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace picket;
using namespace picket::engine;

std::string_view next_part(std::string_view& rest) {
  auto part = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8'192) return 0;
  std::string_view rest{reinterpret_cast<const char*>(data), size};
  auto decoders = next_part(rest);
  auto rules = next_part(rest);
  std::vector<ruleset_file> files;
  files.push_back({file_kind::decoder, "d.xml",
                   "<decoder name=\"app\"><program_name>app</program_name></decoder>"
                   "<decoder name=\"other\"><prematch>^other</prematch></decoder>"
                       + std::string{decoders}});
  files.push_back(
      {file_kind::rule, "r.xml",
       "<group name=\"fuzz,\"><rule id=\"1\" level=\"0\" noalert=\"1\"><category>syslog</category>"
       "<description>root</description></rule>"
           + std::string{rules} + "</group>"});
  auto compiled = compile(files);
  if (!compiled.ruleset) return 0;
  shard_state shard{hash_seed{1, 2}};
  node_state node;
  first_seen_in_memory first;
  local_global_windows global;
  engine_limits limits;
  engine_counters counters;
  scratch memory;
  batch_out out;
  auto from = make_agent_source("001", "web-01", "any", "/var/log/x", "mgr");
  std::string text{rest};
  const auto length = text.size();
  text.append(arena::slack_bytes, '\0');
  // The same line some times, so that rules of frequency come to their windows.
  event_in events[4];
  for (int i = 0; i < 4; ++i) {
    events[i].source = &from;
    events[i].text = std::string_view{text}.substr(0, length);
    events[i].arrival_ms = 1'749'038'400'000 + i * 100;
    events[i].id.sequence = 1;
    events[i].id.index = static_cast<std::uint32_t>(i);
  }
  wanted_outputs outputs;
  outputs.alerts_text = outputs.archives_json = true;
  const context with{*compiled.ruleset, shard, node, first, global, limits, counters, outputs};
  if (!evaluate(events, with, memory, out).complete()) std::abort();
  for (auto lines : {std::string_view{out.json}, std::string_view{out.archive_json}})
    for (; !lines.empty(); lines.remove_prefix(lines.find('\n') + 1))
      if (lines.front() != '{' || lines.find('\n') == std::string_view::npos) std::abort();
  return 0;
}
