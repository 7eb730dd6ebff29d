#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace picket::ctl {

/// The text as a terminal may show it: control characters and bytes that are no UTF-8 become `\xNN`, so that
/// text from outside can neither move the cursor nor forge a line.
std::string printable(std::string_view text);

/// Characters that it takes on the screen (code points; the text must be printable).
std::size_t width_of(std::string_view text) noexcept;

/// A table for people: aligned columns, headings in capitals, two blanks between.
class text_table {
public:
  explicit text_table(std::vector<std::string> headings);
  /// Cells are made printable; empty ones are shown as "-".
  void add(const std::vector<std::string>& cells);
  std::size_t rows() const noexcept { return rows_.size() - 1; }
  std::string render() const;

private:
  std::vector<std::vector<std::string>> rows_; ///< the headings first
};

/// "name  value" lines with the values aligned. Pairs with an empty value are left out.
std::string render_pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
                         std::string_view indent = "");

} // namespace picket::ctl
