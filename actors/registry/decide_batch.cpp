#include "actors/registry/decide_batch.hpp"

#include <algorithm>
#include <map>

namespace picket::registry {

namespace {

constexpr std::uint64_t most_trimmed_rows = 64; ///< by one batch

/// The rows of a batch, each key once: of two writes the later one counts.
class gathered_rows {
public:
  /// How many rows and bytes there would be with these as well.
  std::pair<std::size_t, std::size_t> with(const std::vector<store::row_write>& writes) const {
    auto rows = rows_.size();
    auto bytes = bytes_;
    for (const auto& write : writes) {
      if (places_.find({write.table, write.key}) == places_.end()) ++rows;
      bytes += write.key.size() + (write.row ? write.row->size() : 0);
    }
    return {rows, bytes};
  }
  void add(std::vector<store::row_write> writes) {
    bytes_ = with(writes).second;
    for (auto& write : writes) {
      auto [place, fresh] = places_.try_emplace({write.table, write.key}, rows_.size());
      if (fresh)
        rows_.push_back(std::move(write));
      else
        rows_[place->second] = std::move(write);
    }
  }
  std::vector<store::row_write> take() && { return std::move(rows_); }

private:
  std::vector<store::row_write> rows_;
  std::map<std::pair<store::registry_table, std::string>, std::size_t> places_;
  std::size_t bytes_ = 0;
};

/// Which rows of the log are old enough to go; takes their bytes from the head.
void trim_log(const store::registry_view& view, const log_policy& policy, std::int64_t time_ms,
              store::registry_batch& batch) {
  auto& head = batch.head;
  batch.trim_log_from = batch.trim_log_to = head.log_from;
  while (batch.trim_log_to + policy.keep_rows <= head.sequence
         && batch.trim_log_to - batch.trim_log_from < most_trimmed_rows) {
    auto row = view.logged(batch.trim_log_to);
    if (row && time_ms - row->time_ms < policy.keep_ms) break;
    head.log_bytes -= std::min(head.log_bytes, row ? row->bytes : 0);
    ++batch.trim_log_to;
  }
  head.log_from = batch.trim_log_to;
}

} // namespace

decided_batch decide_batch(const store::registry_view& view,
                           const std::vector<const protocol::command*>& commands, decide_context context,
                           std::int64_t wall_ms, const batch_limits& limits) {
  decided_batch out;
  store::overlay_view overlay{view};
  gathered_rows rows;
  auto before = view.head();
  context.time_ms = std::max(wall_ms, before.time_ms + 1);
  out.batch.head = before;
  trim_log(view, context.log, context.time_ms, out.batch);
  if (context.log.limit_bytes != 0 && out.batch.head.log_bytes > context.log.limit_bytes) {
    out.log_full = true;
    return out;
  }
  auto& log = out.batch.log;
  log.time_ms = context.time_ms;
  log.by = context.node;
  for (const auto* command : commands) {
    if (auto known = overlay.outcome(command->request)) {
      out.commands.push_back({*known, true, view.outcome(command->request).has_value()});
      continue;
    }
    auto decided = decide(overlay, *command, context);
    auto [row_count, bytes] = rows.with(decided.writes);
    if (!log.commands.empty() && (row_count > limits.rows || bytes > limits.bytes)) break;
    if (log.commands.size() >= limits.rows) break;
    overlay.apply(decided.writes, decided.head);
    overlay.remember(command->request, decided.result);
    auto operation = std::string{protocol::name_of(command->arguments)};
    log.commands.push_back({command->request, operation, decided.result});
    if (decided.result.done() && !std::holds_alternative<protocol::fence>(command->arguments))
      log.audit.push_back({command->actor, command->from, operation + " " + to_text(decided.result.agent)});
    rows.add(std::move(decided.writes));
    out.commands.push_back({std::move(decided.result), false, false});
    out.changes_anything = true;
  }
  auto trimmed = out.batch.head;
  out.batch.writes = std::move(rows).take();
  out.batch.head = overlay.head();
  out.batch.head.log_from = trimmed.log_from;
  out.batch.head.log_bytes = trimmed.log_bytes + protocol::encode(log).size();
  out.batch.head.sequence = before.sequence + 1;
  out.batch.head.time_ms = context.time_ms;
  out.batch.head.by = context.node;
  out.batch.head.schema = std::max<std::uint32_t>(before.schema, known_schema);
  return out;
}

} // namespace picket::registry
