#include "actors/alert_sink/file_journal.hpp"

#include "base/faults/faults.hpp"
#include "base/time.hpp"

namespace picket {

namespace {

store::journal_time moment(std::int64_t wall_ms) { return {wall_ms, local_utc_offset_s(wall_ms)}; }

} // namespace

result<std::unique_ptr<file_journal>> file_journal::open(const store::journal_options& options) {
  std::unique_ptr<file_journal> made{new file_journal{options}};
  auto opened = made->ready(wall_clock_ms());
  if (!opened && opened.error().code != errc::disk_full) return tl::unexpected<error>(opened.error());
  return made;
}

result<void> file_journal::ready(std::int64_t wall_ms) {
  if (files_) return {};
  auto opened = store::journal::open(options_, moment(wall_ms));
  if (!opened) return tl::unexpected<error>(opened.error());
  files_.emplace(std::move(*opened));
  return {};
}

result<void> file_journal::append(const journal_texts& texts, std::int64_t wall_ms) {
  faults::hold(faults::fault::sink_stopped);
  faults::pause(faults::fault::sink_slow_ms);
  if (auto opened = ready(wall_ms); !opened) return opened;
  return files_->append({texts.alerts_json, texts.alerts_text, texts.archives_json}, moment(wall_ms));
}

result<void> file_journal::tick(std::int64_t wall_ms) {
  if (auto opened = ready(wall_ms); !opened) return opened;
  return files_->tick(moment(wall_ms));
}

result<void> file_journal::sync() { return files_ ? files_->sync() : result<void>{}; }

std::vector<store::journal_notice> file_journal::take_notices() {
  return files_ ? files_->take_notices() : std::vector<store::journal_notice>{};
}

} // namespace picket
