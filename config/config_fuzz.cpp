#include "config/load.hpp"

#include <algorithm>
#include <cstdlib>

using namespace picket::config;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

} // namespace

/// Any bytes as a file: no crash; every problem points into the file and says something.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')
                                        + std::count(text.begin(), text.end(), '\r'))
               + 1;
  auto got = load_text(text, "f", {}, "/d");
  for (const auto& one : got.problems) {
    must(!one.text.empty());
    must(one.line <= lines + 1);
    must(one.column <= size + 2);
  }
  if (got.good()) must(!got.values.paths.data_dir.empty());
  return 0;
}
