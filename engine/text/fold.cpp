#include "engine/text/fold.hpp"

#include <algorithm>
#include <vector>

namespace picket::engine {

std::string folded(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    c = fold(c);
  return out;
}

namespace {

/// Number of single-byte edits between two short texts, without case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t changed = diagonal + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

} // namespace

std::string_view nearest(std::string_view word, const std::string_view* candidates, std::size_t count) {
  // Names of elements are short; a long word is no slip of the keyboard.
  if (word.empty() || word.size() > 40) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t distance = edit_distance(word, candidates[i]);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidates[i];
    }
  }
  return best;
}

} // namespace picket::engine
