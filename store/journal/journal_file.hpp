#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

/// One append-only output with the reference's layout and rotation (events-and-alerts 12): a dated file
/// `<dir>/<YYYY>/<Mon>/<stem>-<DD>[-<part>].<ext>` and a live name `<dir>/<live>.<ext>` that is a hard link
/// to the newest. A follower goes by inode; nothing is ever truncated under it but a half line that a crash
/// left.

namespace picket::store {

/// The moment of an append; the day of files is the local one.
struct journal_time {
  std::int64_t now_ms = 0;
  std::int32_t utc_offset_s = 0;
};

struct journal_file_options {
  std::filesystem::path directory; ///< for example logs/alerts
  std::string stem;                ///< "ossec-alerts"
  std::string live;                ///< "alerts"
  std::string extension;           ///< "json" or "log"
  std::string record_end = "\n"; ///< "\n\n" for alerts as text; what follows the last one at open is cut off
  std::int64_t rotate_bytes = 0; ///< above it a new part; 0: never
  std::int64_t rotate_interval_s = 0;       ///< after it a new part, if the file is not empty; 0: never
  std::int64_t min_rotate_interval_s = 600; ///< between two parts by size
};

/// A place in the journal that stays valid: what a reader of it stores as its cursor.
struct journal_position {
  std::string file; ///< below the directory, for example "2025/Mar/ossec-alerts-04-001.json"
  std::uint64_t offset = 0;

  friend bool operator==(const journal_position&, const journal_position&) = default;
};

std::string to_text(const journal_position& position);
/// The inverse; an empty file name if the text is none.
journal_position parse_journal_position(std::string_view text);

/// Used by one thread at a time.
class journal_file {
public:
  /// Makes directories (0750) and the file (0640), goes on with the day's newest part, cuts off a half
  /// record.
  static result<journal_file> open(const journal_file_options& options, const journal_time& now);
  journal_file(journal_file&& other) noexcept;
  journal_file& operator=(journal_file&& other) noexcept;
  ~journal_file();

  /// Begins a new file if the day, the size or the interval demands it. Called by `append` too; apart from it
  /// so that several files can rotate before any of them is written.
  result<void> rotate_if_due(const journal_time& now);
  /// Appends whole records with one write. On an error nothing of them is in the file.
  /// `errc::disk_full`: try again when there is room.
  result<void> append(std::string_view records, const journal_time& now);
  /// Takes back what was appended since `size` was asked for; only without a rotation between.
  result<void> take_back(std::uint64_t to_size);
  /// Forces to the disk what was appended; cheap if there is nothing.
  result<void> sync();

  std::uint64_t size() const noexcept { return size_; }
  /// Where the next record will begin.
  journal_position end() const;
  /// Up to here everything is on the disk.
  journal_position durable() const;
  /// Bytes that were cut off at open, a half record.
  std::uint64_t repaired_bytes() const noexcept { return repaired_bytes_; }

private:
  journal_file() = default;
  result<void> open_part(const journal_time& now, std::int64_t day, unsigned part);
  result<void> repair();
  result<void> link_live();
  std::string part_name(std::int64_t day, unsigned part) const;

  journal_file_options options_;
  int fd_ = -1;
  std::string name_; ///< below the directory
  std::int64_t day_ = 0;
  unsigned part_ = 0;
  std::uint64_t size_ = 0;
  std::uint64_t synced_ = 0;
  std::uint64_t repaired_bytes_ = 0;
  std::int64_t opened_ms_ = 0; ///< of the last rotation
};

} // namespace picket::store
