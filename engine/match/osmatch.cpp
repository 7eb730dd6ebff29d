#include "engine/match/osmatch.hpp"

#include "engine/text/fold.hpp"

namespace picket::engine {

namespace {

/// Both texts of equal length; `literal` is folded already.
bool same(std::string_view input, std::string_view literal) noexcept {
  for (std::size_t i = 0; i < literal.size(); ++i)
    if (fold(input[i]) != literal[i]) return false;
  return true;
}

bool contains(std::string_view input, std::string_view literal) noexcept {
  if (literal.empty()) return true;
  if (input.size() < literal.size()) return false;
  char first = literal.front();
  std::size_t last_start = input.size() - literal.size();
  for (std::size_t i = 0; i <= last_start; ++i) {
    if (fold(input[i]) == first && same(input.substr(i), literal)) return true;
  }
  return false;
}

} // namespace

tl::expected<osmatch, std::string> osmatch::compile(std::string_view text) {
  if (text.size() > pattern_bytes_max) return tl::unexpected(std::string("longer than 20480 bytes"));
  osmatch made;
  if (!text.empty() && text.front() == '!') {
    made.inverted_ = true;
    text.remove_prefix(1);
    // Nothing behind the `!`: nothing to find, and that inverted never holds.
  }
  while (true) {
    auto bar = text.find('|');
    std::string_view part = text.substr(0, bar);
    alternative one;
    if (!part.empty() && part.front() == '^') {
      one.begin = true;
      part.remove_prefix(1);
    }
    if (!part.empty() && part.back() == '$') {
      one.end = true;
      part.remove_suffix(1);
    }
    one.literal = folded(part);
    made.alternatives_.push_back(std::move(one));
    if (bar == std::string_view::npos) return made;
    text.remove_prefix(bar + 1);
  }
}

bool osmatch::alternative::matches(std::string_view input) const noexcept {
  if (!begin && !end) return contains(input, literal);
  if (input.size() < literal.size() || (begin && end && input.size() != literal.size())) return false;
  return same(begin ? input : input.substr(input.size() - literal.size()), literal);
}

bool osmatch::search(std::string_view input) const noexcept {
  for (const auto& each : alternatives_)
    if (each.matches(input)) return !inverted_;
  return inverted_;
}

} // namespace picket::engine
