#pragma once

#include "actors/alert_sink/alert_sink.hpp"
#include "store/journal/journal.hpp"

namespace picket {

/// The node's journal: alerts.json and its siblings on the disk, in local time.
class file_journal final : public alert_journal {
public:
  static result<std::unique_ptr<file_journal>> open(const store::journal_options& options);

  result<void> append(const journal_texts& texts, std::int64_t wall_ms) override;
  result<void> tick(std::int64_t wall_ms) override;
  result<void> sync() override;
  std::vector<store::journal_notice> take_notices() override { return files_.take_notices(); }
  std::uint64_t syncs() const override { return files_.syncs(); }

private:
  explicit file_journal(store::journal files)
      : files_{std::move(files)} {}
  store::journal files_;
};

} // namespace picket
