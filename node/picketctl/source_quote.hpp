#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace picket::ctl {

/// A file whose lines are shown to people. The bytes must outlive it.
class source_text {
public:
  explicit source_text(std::string_view bytes);

  /// The line with a `^` under the column:
  ///
  ///     12 |   <ruel id="1">
  ///        |   ^
  ///
  /// Lines and columns count from 1, columns in bytes. Long lines are shown around the column. Empty if there
  /// is no such line; no `^` without a column.
  std::string quote(int line, int column) const;

private:
  std::string_view line_at(int line) const;

  std::string_view bytes_;
  std::vector<std::size_t> begins_; ///< of the lines
};

} // namespace picket::ctl
