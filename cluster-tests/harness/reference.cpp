#include "cluster-tests/harness/reference.hpp"
#include "picket_paths.hpp"

#include <cstdlib>
#include <fstream>

namespace picket::harness {

namespace fs = std::filesystem;

fs::path reference_data() {
  fs::path dir = PICKET_REFERENCE_DATA;
  return fs::is_directory(dir) ? dir : fs::path{};
}

bool make_stock_ruleset(const fs::path& into) {
  auto data = reference_data();
  if (data.empty()) return false;
  fs::create_directories(into);
  auto command =
      "python3 '" + (data / "make-test-ruleset").string() + "' '" + into.string() + "' > /dev/null";
  return std::system(command.c_str()) == 0;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

} // namespace picket::harness
