#pragma once

#include "store/journal/journal_order.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace picket::store {

struct journal_reader_options {
  journal_output output;
  std::size_t record_limit_bytes = 16 * 1024 * 1024; ///< a longer one is skipped
};

/// What a reader met besides records.
struct journal_gaps {
  std::uint64_t missing_files = 0; ///< gone before they were read to their end
  std::uint64_t skipped_bytes = 0; ///< half records that a crash left at the end of a file; too long ones
  std::uint64_t moved_back = 0;    ///< cursors that were no end of a record or behind the end of their file
};

/// Reads one output of the journal from a cursor on, in the order in which it was written: whole records
/// only, over rotation, restarts of the node and repairs. It may run beside the writer, in another process as
/// well; files that others have moved or removed are read to their end as long as they are open.
///
/// Bound: memory for one record and one block. What is read may not be on the disk yet (`journal_file::
/// durable`); after a power cut such a reader is moved back to the end of what is left.
class journal_reader {
public:
  /// `from`: behind the last record that was worked off; an empty one: the oldest file that there is. A
  /// journal without a file is fine: they come later. Errors: invalid_argument (a position of another
  /// output), io, permission.
  static result<journal_reader> open(const journal_reader_options& options, const journal_position& from);
  journal_reader(journal_reader&& other) noexcept;
  journal_reader& operator=(journal_reader&& other) noexcept;
  ~journal_reader();

  /// The next whole records, about `bytes` of them but at least one; empty: nothing new for now. The view
  /// lasts until the next call. Errors: io; try again.
  result<std::string_view> read(std::size_t bytes = 256 * 1024);
  /// Behind the records that `read` gave last: what to store as the cursor once they are worked off.
  const journal_position& position() const noexcept { return position_; }
  const journal_gaps& gaps() const noexcept { return gaps_; }

private:
  explicit journal_reader(journal_reader_options options)
      : options_{std::move(options)} {}
  result<void> open_file(const std::string& name, std::uint64_t offset);
  /// One read of the file from the position on, so that a repair in between cannot join halves of two
  /// records. False: at the end of the file.
  result<bool> fill(std::size_t bytes);
  /// The file ends before the position: somebody cut it, or a power cut took what was not on the disk.
  result<void> mind_cut();
  /// Skips what is in the buffer of a record that is too long, its end included if it is there.
  void skip_long();
  /// Moves to the file behind the present one. False: it is the newest.
  result<bool> go_on();
  result<std::string> following();

  journal_reader_options options_;
  int fd_ = -1;
  journal_position position_;
  std::string buffer_;
  bool skipping_ = false; ///< inside a record that is too long
  bool left_ = false;     ///< the writer has begun another file
  /// The list as it was when it named none behind this file; it is not read again before it changes.
  std::string order_seen_;
  journal_gaps gaps_;
};

} // namespace picket::store
