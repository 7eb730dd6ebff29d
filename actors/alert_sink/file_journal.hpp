#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "actors/alert_sink/alert_sink.hpp"
#include "store/journal/journal.hpp"

namespace picket {

/// The node's journal: alerts.json and its siblings on the disk, in local time.
///
/// A disk that is full when the node starts is no reason not to start: agents are better off with a node that
/// takes what they send into pool and overflow. The files are opened when there is room.
class file_journal final : public alert_journal {
public:
  /// Errors: permission, io: what waiting would not mend.
  static result<std::unique_ptr<file_journal>> open(const store::journal_options& options);

  result<void> append(const journal_texts& texts, std::int64_t wall_ms) override;
  result<void> tick(std::int64_t wall_ms) override;
  result<void> sync() override;
  std::vector<store::journal_notice> take_notices() override;
  std::uint64_t syncs() const override { return files_ ? files_->syncs() : 0; }

private:
  explicit file_journal(const store::journal_options& options)
      : options_{options} {}
  /// Opens the files unless they are open.
  result<void> ready(std::int64_t wall_ms);

  store::journal_options options_;
  std::optional<store::journal> files_;
};

} // namespace picket
