#include "store/journal/journal.hpp"

#include <cerrno>

#include <sys/statvfs.h>

namespace picket::store {

result<journal> journal::open(const journal_options& options, const journal_time& now) {
  journal opened;
  opened.options_ = options;
  opened.synced_ms_ = now.now_ms;
  struct output {
    bool on;
    const char* folder;
    const char* stem;
    const char* extension;
    const char* record_end;
  };
  const output outputs[] = {{options.alerts_json, "alerts", "ossec-alerts", "json", "\n"},
                            {options.alerts_log, "alerts", "ossec-alerts", "log", "\n\n"},
                            {options.archives_json, "archives", "ossec-archive", "json", "\n"}};
  for (std::size_t i = 0; i < std::size(outputs); ++i) {
    if (!outputs[i].on) continue;
    journal_file_options file;
    file.directory = options.directory / outputs[i].folder;
    file.stem = outputs[i].stem;
    file.live = outputs[i].folder;
    file.extension = outputs[i].extension;
    file.record_end = outputs[i].record_end;
    file.rotate_bytes = options.rotate_bytes;
    file.rotate_interval_s = options.rotate_interval_s;
    auto one = journal_file::open(file, now);
    if (!one) return tl::unexpected(one.error());
    opened.files_[i] = std::move(*one);
  }
  return opened;
}

result<void> journal::append(const journal_lines& lines, const journal_time& now) {
  const std::string_view texts[] = {lines.alerts_json, lines.alerts_log, lines.archives_json};
  std::array<std::uint64_t, 3> before{};
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!files_[i]) continue;
    if (auto rotated = files_[i]->rotate_if_due(now); !rotated) return rotated;
    before[i] = files_[i]->size();
  }
  result<void> done;
  for (std::size_t i = 0; done && i < files_.size(); ++i)
    if (files_[i]) done = files_[i]->append(texts[i], now);
  if (done && options_.strict_sync) done = sync();
  if (done) return done;
  for (std::size_t i = 0; i < files_.size(); ++i)
    if (files_[i])
      if (auto undone = files_[i]->take_back(before[i]); !undone) return undone;
  return done;
}

result<void> journal::tick(const journal_time& now) {
  for (auto& file : files_)
    if (file)
      if (auto rotated = file->rotate_if_due(now); !rotated) return rotated;
  bool due = now.now_ms - synced_ms_ >= options_.sync_interval_ms || now.now_ms < synced_ms_;
  if (!due) return {};
  synced_ms_ = now.now_ms;
  return sync();
}

result<void> journal::sync() {
  for (auto& file : files_)
    if (file)
      if (auto synced = file->sync(); !synced) return synced;
  return {};
}

std::uint64_t journal::repaired_bytes() const noexcept {
  std::uint64_t bytes = 0;
  for (const auto& file : files_)
    if (file) bytes += file->repaired_bytes();
  return bytes;
}

result<std::uint64_t> journal::disk_free_bytes() const {
  struct statvfs info {};
  if (statvfs(options_.directory.c_str(), &info) != 0)
    return fail(errc::io, "cannot ask for the room on the disk: " + system_text(errno),
                options_.directory.string());
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

} // namespace picket::store
