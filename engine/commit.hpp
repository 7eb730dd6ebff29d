#pragma once

#include "engine/api.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace picket::engine {

/// Writes what one event changes, and what it raises: counters, alert, effects, memory (engine.md 1.3). The
/// event is `scratch::current`, the effects of its walk are in `scratch::rules`.
class event_committer {
public:
  event_committer(const context& with, scratch& memory, batch_out& out, evaluated& progress);

  /// Whether the live engine drops the event before the tree (rules.md 3.8).
  bool would_refuse() const;
  /// Drops it, if so.
  bool refuse(std::uint32_t index);
  /// The event's global look-backs have no answer from their owners.
  void counts_locally() { counts_locally_ = true; }

  /// Stores the first-seen keys of the walk. False: one of them was stored meanwhile by another event; walk
  /// again.
  bool claim_first_seen();
  void commit(std::uint32_t index, const verdict& decided, std::int64_t now_s, const window_binding& binding,
              std::unique_lock<std::mutex>& lock);

  /// The event as it would be entered in windows of another node for a verdict.
  global_entry entry_of(const rule& decided, std::int64_t now_s, std::int32_t mark) const;
  /// Adds the global windows of one owner that the verdict feeds.
  void keep_targets(global_entry& entry, const rule& decided, std::uint64_t owner) const;

private:
  void decide(const verdict& decided);
  void render(std::uint32_t index);
  void render_archive(const alert_content& content, text_range alert_line);
  void apply_effects(std::unique_lock<std::mutex>& lock);
  void remember(std::uint32_t index, std::int64_t now_s, const window_binding& binding,
                std::unique_lock<std::mutex>& lock);
  void send_entries(std::uint32_t index, std::int64_t now_s);
  event_record make_record(std::int64_t second, const window_binding& binding) const;
  bool make_key(std::string& key, const window_index& index) const;
  std::uint32_t hour() const;

  const context& with_;
  scratch& memory_;
  batch_out& out_;
  evaluated& progress_;
  std::shared_ptr<const counter_table> counters_;
  bool counts_locally_ = false;
  std::vector<window_entry> local_, global_;
};

} // namespace picket::engine
