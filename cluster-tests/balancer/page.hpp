#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The configurations that stand in docs/load-balancer.md.

namespace picket::balancer {

/// A fenced block of a page in Markdown: what stands behind the opening fence, and the lines between.
struct fenced_block {
  std::string language;
  std::string text;
};

/// All blocks in their order; one that is not closed is none.
std::vector<fenced_block> fenced_blocks(std::string_view page);

/// docs/load-balancer.md of the source tree.
std::string load_balancer_page();
/// The page's blocks of that language.
std::vector<std::string> page_blocks(std::string_view language);

/// Each `first` becomes `second`, everywhere and in this order. Throws if one is not there: the page has
/// changed.
std::string replaced(std::string text, const std::vector<std::pair<std::string, std::string>>& all);

} // namespace picket::balancer
