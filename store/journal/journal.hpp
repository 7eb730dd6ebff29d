#pragma once

#include "store/journal/journal_file.hpp"

#include <array>
#include <optional>

/// The node's outputs on disk together: alerts as JSON and as text, archives. The spool of every further
/// output.

namespace picket::store {

struct journal_options {
  std::filesystem::path directory; ///< holds alerts/ and archives/
  bool alerts_json = true;
  bool alerts_log = false;
  bool archives_json = false;
  bool strict_sync = false; ///< `append` answers when everything is on the disk
  std::int64_t sync_interval_ms = 1'000;
  std::int64_t rotate_bytes = 0;
  std::int64_t rotate_interval_s = 0;
  std::size_t unsynced_limit_bytes = 8 * 1024 * 1024; ///< of each file
  std::shared_ptr<disk_calls> disk = disk_calls::system();
};

/// What one batch raised, whole records each.
struct journal_lines {
  std::string_view alerts_json;
  std::string_view alerts_log;
  std::string_view archives_json;
};

/// The three outputs as their readers name them.
journal_output alerts_json_output(const std::filesystem::path& directory);
journal_output alerts_log_output(const std::filesystem::path& directory);
journal_output archives_json_output(const std::filesystem::path& directory);

/// Used by one thread at a time. It blocks on the disk: give it a thread of its own.
class journal {
public:
  static result<journal> open(const journal_options& options, const journal_time& now);

  /// Appends to each file that is on. On an error some files may have their lines or a part of them: call it
  /// with the same lines until it succeeds, before any others; what a file has is not written to it again.
  result<void> append(const journal_lines& lines, const journal_time& now);
  /// With `interval`: forces to the disk if the interval is over. Rotates at midnight also without events.
  result<void> tick(const journal_time& now);
  /// Every file, also behind one that fails; the first error.
  result<void> sync();

  /// Null where that output is off.
  const journal_file* alerts_json() const noexcept { return get(0); }
  const journal_file* alerts_log() const noexcept { return get(1); }
  const journal_file* archives_json() const noexcept { return get(2); }
  /// What happened since the last call, in all files.
  std::vector<journal_notice> take_notices();
  /// Times that a file was forced to the disk.
  std::uint64_t syncs() const noexcept;

private:
  const journal_file* get(std::size_t i) const noexcept { return files_[i] ? &*files_[i] : nullptr; }

  journal_options options_;
  std::array<std::optional<journal_file>, 3> files_;
  std::array<bool, 3> written_{}; ///< files that have the lines of the batch at work
  std::int64_t synced_ms_ = 0;
};

} // namespace picket::store
