#pragma once

#include "store/journal/disk_calls.hpp"
#include "store/journal/journal_names.hpp"

#include <string>
#include <vector>

namespace picket::store {

/// The files of one output in the order in which they were begun: one name a line in a text file beside the
/// live name. Names alone would not do: a clock that goes back gives a later file an earlier name. A file
/// that stands before another one is never written to again.
///
/// Bound: `lines_max` names; then the older half is let go.
class journal_order {
public:
  static constexpr std::size_t lines_max = 65'536;

  /// Reads it; a list that is not there is empty. A half line at its end, and lines that name no file of the
  /// output, are left out. Errors: io, permission.
  static result<journal_order> read(const journal_output& output);

  /// Puts the name behind the others, on the disk, before the first record stands in the file. Readers see
  /// the old list or the new one. On an error nothing is changed.
  result<void> append(const std::string& name, disk_calls& disk);
  /// The same for several; names that are there already stay where they are.
  result<void> adopt(const std::vector<std::string>& names, disk_calls& disk);

  const std::vector<std::string>& names() const noexcept { return names_; }
  /// Greatest part of the day in the list, whether its file is still there or not.
  std::optional<unsigned> greatest_part(const journal_output& output, std::int64_t day) const;
  bool has(const std::string& name) const;
  /// The name behind this one; nothing: it is the last or not in the list.
  std::optional<std::string> behind(const std::string& name) const;

private:
  explicit journal_order(journal_output output)
      : output_{std::move(output)} {}
  result<void> replace(std::vector<std::string> names, disk_calls& disk);

  journal_output output_;
  std::vector<std::string> names_;
};

} // namespace picket::store
