#include "node/picketctl/text_table.hpp"

#include <algorithm>

#include "engine/render/escape.hpp"

namespace picket::ctl {

std::string printable(std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto length = engine::utf8_length(text);
    auto lead = static_cast<unsigned char>(text.front());
    // C1 controls are two bytes of UTF-8 and move cursors as well.
    bool control = lead < 0x20 || lead == 0x7f
                   || (length == 2 && lead == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0);
    if (length == 0 || control) {
      auto bytes = length == 0 ? std::size_t{1} : length;
      for (std::size_t i = 0; i < bytes; ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
      }
      text.remove_prefix(bytes);
      continue;
    }
    out.append(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

std::size_t width_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

text_table::text_table(std::vector<std::string> headings) { rows_.push_back(std::move(headings)); }

void text_table::add(const std::vector<std::string>& cells) {
  std::vector<std::string> row;
  for (std::size_t i = 0; i < rows_.front().size(); ++i)
    row.push_back(i < cells.size() && !cells[i].empty() ? printable(cells[i]) : "-");
  rows_.push_back(std::move(row));
}

std::string text_table::render() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out += row[i];
      if (i + 1 < row.size()) out.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::string render_pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
                         std::string_view indent) {
  std::size_t widest = 0;
  for (const auto& [name, value] : pairs)
    if (!value.empty()) widest = std::max(widest, width_of(printable(name)));
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (value.empty()) continue;
    auto shown = printable(name);
    out.append(indent)
        .append(shown)
        .append(widest - width_of(shown) + 2, ' ')
        .append(printable(value))
        .append("\n");
  }
  return out;
}

} // namespace picket::ctl
