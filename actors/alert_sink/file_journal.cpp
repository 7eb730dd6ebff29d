#include "actors/alert_sink/file_journal.hpp"

#include "base/faults/faults.hpp"
#include "base/time.hpp"

namespace picket {

namespace {

store::journal_time moment(std::int64_t wall_ms) { return {wall_ms, local_utc_offset_s(wall_ms)}; }

} // namespace

result<std::unique_ptr<file_journal>> file_journal::open(const store::journal_options& options) {
  auto files = store::journal::open(options, moment(wall_clock_ms()));
  if (!files) return tl::unexpected<error>(files.error());
  return std::unique_ptr<file_journal>{new file_journal{std::move(*files)}};
}

result<void> file_journal::append(const journal_texts& texts, std::int64_t wall_ms) {
  faults::hold(faults::fault::sink_stopped);
  faults::pause(faults::fault::sink_slow_ms);
  return files_.append({texts.alerts_json, texts.alerts_text, texts.archives_json}, moment(wall_ms));
}

result<void> file_journal::tick(std::int64_t wall_ms) { return files_.tick(moment(wall_ms)); }
result<void> file_journal::sync() { return files_.sync(); }

} // namespace picket
