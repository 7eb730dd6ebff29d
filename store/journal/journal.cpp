#include "store/journal/journal.hpp"

namespace picket::store {

journal_output alerts_json_output(const std::filesystem::path& directory) {
  return {directory / "alerts", "ossec-alerts", "alerts", "json", "\n"};
}
journal_output alerts_log_output(const std::filesystem::path& directory) {
  return {directory / "alerts", "ossec-alerts", "alerts", "log", "\n\n"};
}
journal_output archives_json_output(const std::filesystem::path& directory) {
  return {directory / "archives", "ossec-archive", "archives", "json", "\n"};
}

result<journal> journal::open(const journal_options& options, const journal_time& now) {
  journal opened;
  opened.options_ = options;
  opened.synced_ms_ = now.now_ms;
  const bool on[] = {options.alerts_json, options.alerts_log, options.archives_json};
  const journal_output outputs[] = {alerts_json_output(options.directory),
                                    alerts_log_output(options.directory),
                                    archives_json_output(options.directory)};
  for (std::size_t i = 0; i < std::size(outputs); ++i) {
    if (!on[i]) continue;
    journal_file_options file;
    file.output = outputs[i];
    file.rotate_bytes = static_cast<std::uint64_t>(options.rotate_bytes);
    file.rotate_interval_s = options.rotate_interval_s;
    file.unsynced_limit_bytes = options.unsynced_limit_bytes;
    file.disk = options.disk;
    auto one = journal_file::open(file, now);
    if (!one) return tl::unexpected(one.error());
    opened.files_[i] = std::move(*one);
  }
  return opened;
}

result<void> journal::append(const journal_lines& lines, const journal_time& now) {
  const std::string_view texts[] = {lines.alerts_json, lines.alerts_log, lines.archives_json};
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!files_[i] || written_[i]) continue;
    if (auto done = files_[i]->append(texts[i], now); !done) return done;
    written_[i] = true;
  }
  if (options_.strict_sync)
    if (auto synced = sync(); !synced) return synced;
  written_ = {};
  return {};
}

result<void> journal::tick(const journal_time& now) {
  for (auto& file : files_)
    if (file) file->rotate_if_due(now, true);
  bool due = now.now_ms - synced_ms_ >= options_.sync_interval_ms || now.now_ms < synced_ms_;
  if (!due) return {};
  synced_ms_ = now.now_ms;
  return sync();
}

result<void> journal::sync() {
  result<void> all;
  for (auto& file : files_)
    if (file)
      if (auto synced = file->sync(); !synced && all) all = synced;
  return all;
}

std::vector<journal_notice> journal::take_notices() {
  std::vector<journal_notice> all;
  for (auto& file : files_)
    if (file)
      for (auto& notice : file->take_notices())
        all.push_back(std::move(notice));
  return all;
}

std::uint64_t journal::syncs() const noexcept {
  std::uint64_t all = 0;
  for (const auto& file : files_)
    if (file) all += file->syncs();
  return all;
}

} // namespace picket::store
