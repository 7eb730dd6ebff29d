// Any bytes as a rule-set file. A tree is never larger than the file and keeps the limits; an error points
// into the file and says how to mend it; behind substitution no variable is left.

#include "engine/testing/fuzz.hpp"
#include "engine/text/fold.hpp"
#include "engine/xml/reader.hpp"

#include <algorithm>
#include <cstdint>

namespace {

using picket::engine::testing::must;
namespace xml = picket::engine::xml;

std::size_t weigh(const std::vector<xml::element>& elements, std::size_t depth) {
  must(elements.empty() || depth <= 1024);
  std::size_t bytes = 0;
  for (const auto& each : elements) {
    must(each.name.size() <= 20'479 && each.text.size() <= 20'479 && each.attributes.size() <= 49);
    must(each.place.line >= 1 && each.place.column >= 1);
    bytes += 1 + each.name.size() + each.text.size();
    for (const auto& attr : each.attributes) {
      must(attr.value.find('>') == std::string::npos);
      bytes += attr.name.size() + attr.value.size();
    }
    bytes += weigh(each.children, depth + 1);
  }
  return bytes;
}

void no_variables(const std::vector<xml::element>& elements) {
  for (const auto& each : elements) {
    must(!picket::engine::equal_fold(each.name, "var"));
    no_variables(each.children);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto lines = 1 + std::count(bytes.begin(), bytes.end(), '\n');
  auto well_said = [&](const picket::engine::diagnostic& d) {
    must(d.place.file == "f.xml" && d.place.line >= 1 && d.place.line <= lines && d.place.column >= 1);
    must(!d.text.empty() && !d.hint.empty());
  };
  auto roots = xml::read("f.xml", bytes);
  if (!roots) {
    must(roots.error().code == "xml-syntax" || roots.error().code == "xml-limit");
    well_said(roots.error());
    return 0;
  }
  must(weigh(*roots, 1) <= size);
  if (auto done = xml::substitute_variables(*roots); !done) {
    must(done.error().code == "xml-variable");
    well_said(done.error());
    return 0;
  }
  no_variables(*roots);
  return 0;
}
