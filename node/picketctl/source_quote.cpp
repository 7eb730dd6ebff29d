#include "node/picketctl/source_quote.hpp"

#include <algorithm>

#include "node/picketctl/text_table.hpp"

namespace picket::ctl {

namespace {

constexpr std::size_t bytes_shown = 120;
constexpr std::size_t bytes_before_column = 80;

bool continues_character(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Tabs take one column, so that the mark stands under its character.
std::string shown(std::string_view text) {
  std::string flat{text};
  std::replace(flat.begin(), flat.end(), '\t', ' ');
  return printable(flat);
}

} // namespace

source_text::source_text(std::string_view bytes)
    : bytes_{bytes} {
  begins_.push_back(0);
  for (auto at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1))
    begins_.push_back(at + 1);
}

std::string_view source_text::line_at(int line) const {
  auto text = bytes_.substr(begins_[static_cast<std::size_t>(line) - 1]);
  text = text.substr(0, text.find('\n'));
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

std::string source_text::quote(int line, int column) const {
  if (line < 1 || static_cast<std::size_t>(line) > begins_.size()) return {};
  auto text = line_at(line);
  auto at = std::min(text.size(), static_cast<std::size_t>(std::max(column, 1) - 1));
  while (at > 0 && at < text.size() && continues_character(text[at]))
    --at;
  std::string before;
  if (at > bytes_before_column) {
    auto cut = at - bytes_before_column;
    while (cut < at && continues_character(text[cut]))
      ++cut;
    text.remove_prefix(cut);
    at -= cut;
    before = "...";
  }
  std::string after;
  if (text.size() > bytes_shown) {
    auto cut = std::max(bytes_shown, at);
    while (cut > at && continues_character(text[cut]))
      --cut;
    text = text.substr(0, cut);
    after = "...";
  }
  auto number = std::to_string(line);
  std::string gutter(std::max<std::size_t>(number.size(), 5) - number.size(), ' ');
  auto head = before + shown(text.substr(0, at));
  auto out = gutter + number + " | " + head + shown(text.substr(at)) + after + "\n";
  if (column > 0)
    out += std::string(gutter.size() + number.size(), ' ') + " | " + std::string(width_of(head), ' ') + "^\n";
  return out;
}

} // namespace picket::ctl
