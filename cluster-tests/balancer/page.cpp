#include "cluster-tests/balancer/page.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "picket_paths.hpp"

namespace picket::balancer {

std::vector<fenced_block> fenced_blocks(std::string_view page) {
  constexpr std::string_view fence = "```";
  std::vector<fenced_block> all;
  fenced_block open;
  bool inside = false;
  std::istringstream lines{std::string{page}};
  for (std::string line; std::getline(lines, line);) {
    bool is_fence = line.rfind(fence, 0) == 0;
    if (is_fence && inside) all.push_back(std::exchange(open, {}));
    if (is_fence && !inside) open.language = line.substr(fence.size());
    if (is_fence) inside = !inside;
    if (!is_fence && inside) open.text += line + "\n";
  }
  return all;
}

std::string load_balancer_page() {
  std::ostringstream text;
  text << std::ifstream{PICKET_SOURCE_DIR "/docs/load-balancer.md"}.rdbuf();
  return text.str();
}

std::vector<std::string> page_blocks(std::string_view language) {
  std::vector<std::string> found;
  for (auto& block : fenced_blocks(load_balancer_page()))
    if (block.language == language) found.push_back(std::move(block.text));
  return found;
}

std::string replaced(std::string text, const std::vector<std::pair<std::string, std::string>>& all) {
  for (const auto& [what, with] : all) {
    auto at = text.find(what);
    if (at == std::string::npos) throw std::runtime_error{"the page has no '" + what + "'"};
    for (; at != std::string::npos; at = text.find(what, at + with.size()))
      text.replace(at, what.size(), with);
  }
  return text;
}

} // namespace picket::balancer
