#pragma once

#include "store/journal/disk_calls.hpp"
#include "store/journal/journal_order.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// One append-only output with the reference's layout and rotation (events-and-alerts 12): a dated file
/// `<dir>/<YYYY>/<Mon>/<stem>-<DD>[-<part>].<ext>` and a live name `<dir>/<live>.<ext>` that is a hard link
/// to the newest. A follower goes by inode; nothing is ever truncated under it but a half record that a crash
/// left.

namespace picket::store {

struct journal_file_options {
  journal_output output;
  std::uint64_t rotate_bytes = 0;           ///< above it a new part; 0: never
  std::int64_t rotate_interval_s = 0;       ///< after it a new part, if the file is not empty; 0: never
  std::int64_t min_rotate_interval_s = 600; ///< between two parts by size
  /// So much is kept in memory until it is known to be on the disk; a batch more at most.
  std::size_t unsynced_limit_bytes = 8 * 1024 * 1024;
  std::shared_ptr<disk_calls> disk = disk_calls::system();
};

/// Why a file was begun.
enum class new_file : std::uint8_t { first, day, size, interval, clock, replaced };
/// As the label of a metric; "day" for the first one.
std::string_view name_of(new_file why) noexcept;

/// What happened by the way; for log and metrics.
struct journal_notice {
  enum class kind : std::uint8_t {
    repaired,   ///< `bytes` of a half record were cut off the end of `file`
    replaced,   ///< `file` was moved, removed or cut from outside; `problem.what` says which
    begun,      ///< `file` was begun, because of `why`
    not_rotated ///< a new file could not be begun, because of `problem`; it goes on in `file`
  };
  kind what = kind::begun;
  std::string file;
  std::uint64_t bytes = 0;
  new_file why = new_file::first;
  error problem = {};
};

/// Used by one thread at a time.
///
/// Rotation goes by the clock's local day. A clock that goes back by a day or less stays in the newest file,
/// and the next midnight begins a new part of it; one that goes back further begins a new part of the day
/// that it shows now. A file that was left is never written to again (`journal_order`).
///
/// What was written since the last good sync stays in memory. The kernel reports a failed sync once and then
/// takes the pages for clean; so after one, everything since is written again in its place before the next.
class journal_file {
public:
  /// Makes directories (0750) and the file (0640), goes on with the newest file if it is of this day, cuts
  /// a half record off the file that was written last, whatever its day.
  static result<journal_file> open(const journal_file_options& options, const journal_time& now);
  journal_file(journal_file&& other) noexcept;
  journal_file& operator=(journal_file&& other) noexcept;
  ~journal_file();

  /// Begins a new file if the day, the size or the interval demands it, unless a batch is half written. If
  /// that fails, it is noticed, and the old file is used on. `again`: also if it failed before.
  void rotate_if_due(const journal_time& now, bool again);
  /// Appends whole records. On an error a part of them may be in the file: call it with the same records
  /// until it succeeds, before any others; what is written is not written again. `errc::disk_full`: try again
  /// when there is room.
  result<void> append(std::string_view records, const journal_time& now);
  /// Forces to the disk what was appended; cheap if there is nothing. After an error nothing since the last
  /// good sync is known to be there; the next call writes it again first.
  result<void> sync();

  std::uint64_t size() const noexcept { return size_; }
  /// Where the next record will begin.
  journal_position end() const;
  /// Up to here everything is on the disk.
  journal_position durable() const;
  /// A batch is in the file in part.
  bool half_written() const noexcept { return taken_ > 0; }
  /// Times that something was forced to the disk.
  std::uint64_t syncs() const noexcept { return syncs_; }
  /// What happened since the last call; the latest few dozen.
  std::vector<journal_notice> take_notices() { return std::exchange(notices_, {}); }

private:
  journal_file() = default;
  result<void> adopt_unlisted(std::int64_t today);
  result<void> continue_with(const std::string& name, const journal_time& now);
  void mend_left(const std::string& name);
  result<void> mend(int fd, const std::string& name, std::uint64_t& size);
  std::int64_t day_at(const journal_time& now) const;
  std::optional<new_file> due(const journal_time& now);
  result<void> begin(std::int64_t day, const journal_time& now, new_file why);
  result<std::string> next_name(std::int64_t day) const;
  /// Everything of the old file is on its disk, or what may be missing is in `into`.
  result<void> leave_old(int into, new_file why, std::string& carried);
  result<void> link_live() const;
  /// What somebody did to the file; empty: nothing.
  std::string interference() const;
  result<void> mind_place(const journal_time& now);
  result<void> write_again();
  result<void> sync_names();
  void note(journal_notice notice);

  journal_file_options options_;
  std::unique_ptr<journal_order> order_;
  int fd_ = -1;
  std::string name_; ///< below the directory
  journal_part part_;
  std::int64_t seen_day_ = 0;  ///< local day of the last look at the clock
  std::int64_t opened_ms_ = 0; ///< of the last rotation
  journal_time now_;           ///< of the last call that brought it
  std::uint64_t size_ = 0;
  std::uint64_t synced_ = 0;
  /// The last bytes of the file, from the end of a record on: at least what is not synced and what of a batch
  /// is written.
  std::string kept_;
  std::size_t taken_ = 0;    ///< bytes of the batch at work that are in the file
  bool doubtful_ = false;    ///< a sync failed: `kept_` must be written again
  bool names_synced_ = true; ///< the names of the file are on the disk as well
  bool live_stale_ = false;  ///< the live name does not lead to the file yet
  unsigned failed_rotations_ = 0;
  std::uint64_t syncs_ = 0;
  std::vector<journal_notice> notices_;
};

} // namespace picket::store
