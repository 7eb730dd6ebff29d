#pragma once

#include "engine/event/predecode.hpp"
#include "engine/load/decoders.hpp"
#include "engine/plain/decode.hpp"
#include "engine/xml/reader.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace picket::engine::testing {

/// A decoder of either list that matches nothing: a rule set needs both.
inline constexpr std::string_view base_decoders =
    R"(<decoder name="basep"><program_name>^zzznever$</program_name></decoder>
<decoder name="base"><prematch>^zzznever$</prematch></decoder>)";

struct loaded_decoders {
  decoder_tree tree;
  diagnostics findings;
};

/// Loads one file, and the base decoders behind it. Errors of XML and variables are findings too.
inline loaded_decoders load_decoders(std::string_view text, std::string_view behind = base_decoders) {
  decoder_loader loader;
  loaded_decoders made;
  for (auto [file, bytes] :
       {std::pair{"decoders/0100-case.xml", text}, std::pair{"decoders/base.xml", behind}}) {
    if (bytes.empty()) continue;
    auto roots = xml::read(file, bytes);
    if (!roots) {
      made.findings.push_back(roots.error());
      continue;
    }
    if (auto done = xml::substitute_variables(*roots); !done) {
      made.findings.push_back(done.error());
      continue;
    }
    loader.add_file(file, *roots);
  }
  made.tree = loader.finish();
  for (auto& each : loader.take_diagnostics())
    made.findings.push_back(std::move(each));
  return made;
}

/// Decodes lines with memory of its own; the event stays valid until the next line.
class line_decoder {
public:
  explicit line_decoder(const decoder_tree& tree)
      : tree_(tree) {
    from.manager_name = "vm";
  }

  const event& operator()(std::string_view line, const decode_limits& limits = {}) {
    line_ = line;
    memory.reset();
    scratch.budget = {};
    counters = {};
    ev.clear();
    ev.source = &from;
    ev.full_log = line_;
    predecode(ev);
    decode(ev, tree_, scratch, memory, limits, &counters, listener);
    return ev;
  }

  source from;
  event ev;
  arena memory;
  match_scratch scratch;
  decode_counters counters;
  trace* listener = nullptr;

private:
  const decoder_tree& tree_;
  std::string line_;
};

/// "NAME<PARENT: static=value ...; dynamic=value ..." in the order of storing; "-" for no decoder.
inline std::string show(const event& ev) {
  std::string text = ev.decoder ? ev.decoder->name : "-";
  if (ev.decoder && ev.decoder->is_child) text += "<" + ev.decoder->parent;
  for (std::size_t i = 0; i < static_field_count; ++i) {
    auto field = static_cast<static_field>(i);
    if (auto value = ev.get(field)) text.append(" ").append(name_of(field)).append("=").append(*value);
  }
  for (const auto& each : ev.dynamics)
    text.append(" ").append(each.name).append(":").append(each.value);
  return text;
}

} // namespace picket::engine::testing
