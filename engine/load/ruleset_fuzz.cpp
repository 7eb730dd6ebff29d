// Any bytes as rule, decoder and list files: compile never crashes, and every finding about a file says
// where.
#include "engine/load/ruleset.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

constexpr std::string_view root =
    R"(<group name="base,"><rule id="1" level="0" noalert="1"><category>syslog</category><description>r</description></rule></group>)";
constexpr std::string_view decoders =
    R"(<decoder name="json"><prematch>^{</prematch><plugin_decoder>JSON_Decoder</plugin_decoder></decoder><decoder name="pn"><program_name>p</program_name></decoder>)";

picket::engine::ruleset_file file_of(picket::engine::file_kind kind, const char* name,
                                     std::string_view bytes) {
  picket::engine::ruleset_file file;
  file.kind = kind;
  file.name = name;
  file.bytes = bytes;
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::engine;
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  if (input.empty()) return 0;
  // The first byte says which kind of file the rest is.
  const auto kind = static_cast<file_kind>(data[0] % 4);
  std::vector<ruleset_file> files;
  files.push_back(file_of(file_kind::rule, "0000-root.xml", root));
  files.push_back(file_of(file_kind::decoder, "0000-base.xml", decoders));
  files.push_back(file_of(kind, "etc/lists/fuzz", input.substr(1)));
  compile_options options;
  options.places_max = 20'000;
  const auto made = compile(files, options);
  must((made.ruleset == nullptr) == has_errors(made.diagnostics));
  for (const auto& each : made.diagnostics) {
    must(!each.code.empty() && !each.text.empty());
    must(!each.place.file.empty() && each.place.line > 0);
    must(!to_string(each).empty());
  }
  if (!made.ruleset) return 0;
  must(made.ruleset->digest == compile(files, options).ruleset->digest);
  for (const auto& each : made.ruleset->tree.places)
    must(each.first_child + each.children <= made.ruleset->tree.places.size());
  return 0;
}
