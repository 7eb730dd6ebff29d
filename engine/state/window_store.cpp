#include "engine/state/window_store.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr std::size_t window_cost = 160; ///< of an empty window in its map, about
constexpr std::size_t entry_cost = sizeof(window::entry);

} // namespace

window_store::window_store(hash_seed seed, std::size_t bytes_max)
    : seed_(seed)
    , bytes_max_(bytes_max) {}

std::size_t window_store::cost_of(const event_record& record) {
  std::size_t bytes = sizeof(event_record) + record.agent.size() + record.full_log.size() + record.log.size();
  for (const auto& [column, text] : record.values)
    bytes += sizeof(record.values[0]) + text.size();
  return bytes;
}

std::uint16_t window_store::column_of(const std::string& name) {
  const auto at = std::find(columns_.begin(), columns_.end(), name);
  if (at != columns_.end()) return static_cast<std::uint16_t>(at - columns_.begin());
  columns_.push_back(name);
  return static_cast<std::uint16_t>(columns_.size() - 1);
}

std::uint32_t window_store::table_of(const std::string& content, std::uint32_t entries_max,
                                     std::uint32_t timeframe_s, std::size_t& kept) {
  const auto at =
      std::find_if(tables_.begin(), tables_.end(), [&](const auto& t) { return t && t->content == content; });
  auto number = static_cast<std::uint32_t>(at - tables_.begin());
  if (at == tables_.end()) {
    // Numbers of dropped tables are used again, so that many switches do not grow the list.
    const auto hole = std::find(tables_.begin(), tables_.end(), nullptr);
    number = static_cast<std::uint32_t>(hole - tables_.begin());
    if (hole == tables_.end()) tables_.emplace_back();
    tables_[number] = std::make_unique<table>();
    tables_[number]->content = content;
    tables_[number]->windows = window_map(8, seeded_hash{seed_});
  } else {
    kept += (*at)->windows.size();
  }
  auto& to = *tables_[number];
  to.entries_max = std::max(to.entries_max, entries_max);
  to.timeframe_s = std::max(to.timeframe_s, timeframe_s);
  return number;
}

const window_binding* window_store::find_binding(std::string_view digest) const {
  for (const auto& binding : bindings_)
    if (binding.digest == digest) return &binding;
  return nullptr;
}

const window_binding& window_store::bind(const ruleset& rules, bool global, std::size_t keep,
                                         switch_report* report) {
  if (const auto* known = find_binding(rules.digest)) return *known;
  window_binding made;
  made.digest = rules.digest;
  std::size_t kept = 0;
  for (const auto& index : rules.indexes)
    made.tables.push_back(index.global == global
                              ? table_of(index.content, index.entries_max, index.timeframe_s, kept)
                              : no_list);
  for (const auto& value : rules.stored)
    made.columns.push_back(column_of(name_of(value, rules.slots)));
  bindings_.push_back(std::move(made));
  if (bindings_.size() > keep)
    bindings_.erase(bindings_.begin(), bindings_.end() - static_cast<std::ptrdiff_t>(keep));
  if (report) report->windows_kept += kept;
  drop_unused_tables(report);
  return bindings_.back();
}

void window_store::drop_unused_tables(switch_report* report) {
  for (auto& each : tables_)
    if (each) each->used = false;
  for (const auto& binding : bindings_)
    for (const auto number : binding.tables)
      if (number != no_list) tables_[number]->used = true;
  for (auto& each : tables_) {
    if (!each || each->used) continue;
    if (report) report->windows_dropped += each->windows.size();
    while (!each->windows.empty()) {
      auto& first = *each->windows.begin()->second;
      leave_oldest(first);
    }
    each.reset();
  }
}

const window* window_store::find(std::uint32_t number, std::string_view key) const {
  if (number >= tables_.size() || !tables_[number]) return nullptr;
  const auto& windows = tables_[number]->windows;
  const auto at = windows.find(key);
  return at == windows.end() ? nullptr : at->second.get();
}

event_record* window_store::find_record(std::uint64_t sequence) {
  if (sequence < first_sequence_ || sequence - first_sequence_ >= records_.size()) return nullptr;
  return &records_[static_cast<std::size_t>(sequence - first_sequence_)];
}

const event_record* window_store::record(std::uint64_t sequence) const {
  return const_cast<window_store*>(this)->find_record(sequence);
}

void window_store::set_mark(std::uint64_t sequence, std::int32_t mark) {
  if (auto* found = find_record(sequence)) found->mark = mark;
}

void window_store::enter(event_record& record, const window_entry& entry) {
  auto& to = *tables_[entry.table];
  auto& at = to.windows[entry.key];
  if (!at) {
    at = std::make_unique<window>();
    at->key = entry.key;
    at->table = entry.table;
    bytes_ += window_cost + 2 * entry.key.size();
  }
  // The new entry first: so the window is never empty and stays where it is.
  at->entries.push_back({record.sequence, entry.times});
  bytes_ += entry_cost;
  record.windows.push_back(at.get());
  record.expires_s = std::max(record.expires_s, record.second + static_cast<std::int64_t>(to.timeframe_s));
  while (at->entries.size() > to.entries_max)
    leave_oldest(*at);
}

void window_store::leave_oldest(window& from) {
  auto* record = find_record(from.entries.front().sequence);
  from.entries.erase(from.entries.begin());
  bytes_ -= entry_cost;
  auto& windows = record->windows;
  windows.erase(std::find(windows.begin(), windows.end(), &from));
  if (windows.empty()) forget(*record);
  if (from.entries.empty()) drop_window(from);
}

void window_store::drop_window(window& empty) {
  auto& windows = tables_[empty.table]->windows;
  bytes_ -= window_cost + 2 * empty.key.size();
  windows.erase(windows.find(std::string_view{empty.key}));
}

/// No window names the record any more: its texts go, its number stays until it is the oldest.
void window_store::forget(event_record& record) {
  bytes_ -= cost_of(record);
  --alive_;
  event_record empty;
  empty.sequence = record.sequence;
  record = std::move(empty);
}

void window_store::drop_front(bool evicted) {
  auto& front = records_.front();
  if (front.alive()) {
    if (evicted) ++evictions_[front.rule_id];
    // The oldest record is the oldest entry of every window in which it stands.
    while (front.alive())
      leave_oldest(*front.windows.back());
  }
  records_.pop_front();
  ++first_sequence_;
}

void window_store::expire(std::int64_t now_s) {
  while (!records_.empty() && (!records_.front().alive() || records_.front().expires_s < now_s))
    drop_front(false);
}

void window_store::shrink() {
  while (bytes_ > bytes_max_ && !records_.empty())
    drop_front(true);
}

std::uint64_t window_store::remember(event_record fresh, const std::vector<window_entry>& entries) {
  expire(fresh.second);
  const auto sequence = first_sequence_ + records_.size();
  fresh.sequence = sequence;
  fresh.expires_s = fresh.second;
  fresh.windows.clear();
  bytes_ += cost_of(fresh);
  ++alive_;
  records_.push_back(std::move(fresh));
  for (const auto& entry : entries)
    enter(records_.back(), entry);
  if (!records_.back().alive()) forget(records_.back());
  shrink();
  return sequence;
}

std::size_t window_store::windows() const noexcept {
  std::size_t count = 0;
  for (const auto& each : tables_)
    if (each) count += each->windows.size();
  return count;
}

namespace {

bool same_entries(const window& a, const window& b) {
  return std::equal(
      a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
      [](const auto& p, const auto& q) { return p.sequence == q.sequence && p.times == q.times; });
}

} // namespace

bool window_store::same_table(const table& a, const table& b) {
  return a.windows.size() == b.windows.size()
         && std::all_of(a.windows.begin(), a.windows.end(), [&](const auto& each) {
              const auto other = b.windows.find(std::string_view{each.first});
              return other != b.windows.end() && same_entries(*each.second, *other->second);
            });
}

bool operator==(const window_store& a, const window_store& b) {
  const auto values_of = [](const window_store& of, const event_record& record) {
    std::vector<std::pair<std::string, std::string>> values;
    for (const auto& [column, text] : record.values)
      values.emplace_back(of.columns_[column], text);
    std::sort(values.begin(), values.end());
    return values;
  };
  const auto same_record = [&](const event_record& x, const event_record& y) {
    return x.sequence == y.sequence && x.second == y.second && x.expires_s == y.expires_s && x.mark == y.mark
           && x.rule_id == y.rule_id && x.type == y.type && x.has_dynamics == y.has_dynamics
           && x.agent == y.agent && x.full_log == y.full_log && x.log == y.log
           && x.windows.size() == y.windows.size() && values_of(a, x) == values_of(b, y);
  };
  if (!(a.seed_ == b.seed_) || a.bytes_ != b.bytes_ || a.alive_ != b.alive_
      || a.first_sequence_ != b.first_sequence_ || a.windows() != b.windows()
      || !std::equal(a.records_.begin(), a.records_.end(), b.records_.begin(), b.records_.end(), same_record))
    return false;
  // Tables have numbers of their own in each store: they are the same by content.
  for (const auto& each : a.tables_) {
    if (!each || each->windows.empty()) continue;
    const auto other = std::find_if(b.tables_.begin(), b.tables_.end(),
                                    [&](const auto& t) { return t && t->content == each->content; });
    if (other == b.tables_.end() || !window_store::same_table(*each, **other)) return false;
  }
  return true;
}

} // namespace picket::engine
