#include "engine/commit.hpp"

#include "engine/load/decoders.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr std::array<static_field, 6> firewall_fields{static_field::action,  static_field::srcip,
                                                      static_field::dstip,   static_field::srcport,
                                                      static_field::dstport, static_field::protocol};

std::int64_t seconds_of(std::int64_t ms) { return ms / 1000 - (ms % 1000 < 0 ? 1 : 0); }

} // namespace

event_committer::event_committer(const context& with, scratch& memory, batch_out& out, evaluated& progress)
    : with_(with)
    , memory_(memory)
    , out_(out)
    , progress_(progress)
    , counters_(with.node.table_for(with.rules)) {}

bool event_committer::would_refuse() const {
  const auto& ev = memory_.current;
  return with_.path == analysis_path::live && with_.limits.firewall_filter && ev.type == event_type::firewall
         && std::any_of(firewall_fields.begin(), firewall_fields.end(), [&](auto f) { return !ev.get(f); });
}

bool event_committer::refuse(std::uint32_t index) {
  if (!would_refuse()) return false;
  memory_.last = {};
  memory_.last.refused = true;
  out_.refused.push_back({index, refusal::firewall_incomplete});
  ++with_.counters.events;
  ++with_.counters.refused;
  with_.shard.clock_s = std::max(with_.shard.clock_s, seconds_of(memory_.current.arrival_ms));
  return true;
}

bool event_committer::claim_first_seen() {
  auto& scratch = memory_.rules;
  for (const auto& key : scratch.effects.first_seen_keys) {
    if (std::find(scratch.claimed.begin(), scratch.claimed.end(), key) != scratch.claimed.end()) continue;
    if (!with_.first.insert_if_new(key)) return false;
    scratch.claimed.push_back(key);
    if (memory_.current.type == event_type::ids) with_.first.remember_recent(key);
  }
  return true;
}

std::uint32_t event_committer::hour() const {
  // Log-test never resets firedtimes (rules.md 9).
  if (with_.path == analysis_path::logtest) return 0;
  const auto local = seconds_of(memory_.current.arrival_ms) + memory_.current.utc_offset_s;
  return static_cast<std::uint32_t>(std::max<std::int64_t>(local, 0) / 3600);
}

/// Counts, looks at the ignore window, and says what is shown: rules.md 3.4, 3.5 and 7.
void event_committer::decide(const verdict& decided) {
  auto& last = memory_.last;
  last.verdict = decided.rule;
  last.parent = decided.parent;
  if (!decided.rule) return;
  const auto& rule = *decided.rule;
  last.shown = &rule;
  const bool live = with_.path == analysis_path::live;
  ++with_.counters.verdicts;
  ++with_.counters.rules[rule.index].verdicts;
  auto& counters = *counters_->by_rule[rule.index];
  last.firedtimes = counters.fire(hour());
  if (rule.level == 0) {
    if (live) last.shown = nullptr;
    return;
  }
  last.remembered = true;
  last.alert = live ? rule.writes_alert : rule.level >= with_.rules.options.rules.log_alert_level;
  if (rule.ignore_s == 0) return;
  const auto now_s = seconds_of(memory_.current.arrival_ms);
  const auto ignored = live ? counters.enter_ignore_window(now_s, rule.ignore_s)
                            : counters.enter_ignore_window_of_logtest(now_s, rule.ignore_s);
  if (ignored == rule_counters::ignored::no) return;
  ++with_.counters.ignored;
  if (!live) {
    last.remembered = last.alert = false;
    return;
  }
  // The parent takes over as it is: neither its level nor its own window is looked at.
  memory_.rules.previous.clear();
  last.verdict = last.shown = decided.parent;
  last.remembered = decided.parent != nullptr;
  last.alert = decided.parent && decided.parent->writes_alert;
}

void event_committer::render_archive(const alert_content& content, text_range alert_line) {
  if (with_.outputs.archives_text) append_archive_text(out_.archive_text, *content.ev, memory_.render);
  if (!with_.outputs.archives_json) return;
  if (with_.path == analysis_path::logtest) {
    // Not an archive: the document that log-test shows.
    auto shown = content;
    shown.level_0 = true;
    shown.full_log = !content.rule || !content.rule->no_full_log;
    append_json_line(out_.archive_json, shown, memory_.render, memory_.memory);
    return;
  }
  if (alert_line.length > 0 && content.full_log) {
    out_.archive_json.append(out_.json, alert_line.offset, alert_line.length);
    return;
  }
  auto archived = content;
  archived.full_log = true;
  archived.rule = memory_.last.shown;
  append_json_line(out_.archive_json, archived, memory_.render, memory_.memory);
}

void event_committer::render(std::uint32_t index) {
  const auto& ev = memory_.current;
  auto& last = memory_.last;
  const auto& outputs = with_.outputs;
  memory_.id.clear();
  append_alert_id(memory_.id, progress_.events[index].id, ev.arrival_ms, 0);
  alert_content content;
  content.ev = &ev;
  content.rule = last.verdict;
  content.firedtimes = last.firedtimes;
  content.previous = &memory_.rules.previous;
  content.previous_log = memory_.rules.previous_log;
  content.id = memory_.id;
  if (last.verdict) {
    const bool fixed =
        last.verdict->description_parts.size() <= 1
        && (last.verdict->description_parts.empty() || !last.verdict->description_parts[0].value);
    if (!fixed) render_description(memory_.render.description, *last.verdict, memory_.rules.values);
    content.description = fixed ? std::string_view{last.verdict->description} : memory_.render.description;
    content.full_log = !last.verdict->no_full_log;
  }
  if (last.alert && with_.path == analysis_path::live) {
    alert_ref ref;
    ref.event = index;
    ref.rule = last.verdict;
    ref.parent = last.parent;
    ref.level = last.verdict->level;
    ref.mail = last.verdict->mail;
    ref.active_response = !last.verdict->no_active_response;
    ref.counted_locally = content.counted_locally = counts_locally_;
    ref.json.offset = out_.json.size();
    if (outputs.alerts_json) append_json_line(out_.json, content, memory_.render, memory_.memory);
    ref.json.length = out_.json.size() - ref.json.offset;
    ref.text.offset = out_.text.size();
    if (outputs.alerts_text) append_text_block(out_.text, content, memory_.render);
    ref.text.length = out_.text.size() - ref.text.offset;
    ++with_.counters.alerts;
    ++with_.counters.rules[last.verdict->index].alerts;
    out_.alerts.push_back(ref);
    if (ev.source->location != "ossec-keepalive") render_archive(content, ref.json);
  } else if (ev.source->location != "ossec-keepalive") {
    render_archive(content, {});
  }
  if (outputs.firewall_text && with_.path == analysis_path::live && ev.type == event_type::firewall
      && std::all_of(firewall_fields.begin(), firewall_fields.end(),
                     [&](auto f) { return ev.get(f).has_value(); }))
    append_firewall_line(out_.firewall, ev, memory_.render);
  last.description = content.description;
}

void event_committer::apply_effects(std::unique_lock<std::mutex>& lock) {
  const auto& effects = memory_.rules.effects;
  for (const auto& change : effects.marks) {
    if (with_.shard.complete)
      with_.shard.complete->set_mark(change.global, change.sequence, change.mark);
    else if (!change.global)
      with_.shard.set_mark(change.sequence, change.mark);
    else if (lock.owns_lock())
      with_.global.windows().set_mark(change.sequence, change.mark);
  }
  for (const auto& change : effects.diffs)
    with_.shard.store_diff(memory_.current.hostname, change.rule_id, change.text);
}

bool event_committer::make_key(std::string& key, const window_index& index) const {
  return make_window_key(key, index, memory_.current.source->agent_id,
                         [&](const operand& of) { return memory_.rules.values.get(of); });
}

event_record event_committer::make_record(std::int64_t second, const window_binding& binding) const {
  const auto& ev = memory_.current;
  event_record record;
  record.second = second;
  record.mark = memory_.rules.effects.own_mark;
  record.rule_id = memory_.last.verdict->id;
  record.type = ev.type;
  record.has_dynamics = !ev.dynamics.empty();
  record.agent = ev.source->agent_id;
  record.full_log = ev.full_log;
  if (with_.rules.keeps_logs) record.log = ev.log;
  for (std::size_t i = 0; i < with_.rules.stored.size(); ++i)
    if (const auto value = memory_.rules.values.get(with_.rules.stored[i]))
      record.values.emplace_back(binding.columns[i], *value);
  return record;
}

void event_committer::remember(std::uint32_t index, std::int64_t now_s, const window_binding& binding,
                               std::unique_lock<std::mutex>& lock) {
  const auto& decided = *memory_.last.verdict;
  if (with_.shard.complete) {
    with_.shard.complete->remember(decided, memory_.current, now_s, memory_.rules.effects.own_mark,
                                   with_.rules);
    return;
  }
  local_.clear();
  bool any_global = false;
  for (const auto& feed : with_.rules.feeds[decided.index]) {
    const auto& to = with_.rules.indexes[feed.index];
    any_global |= to.global;
    if (to.global || !make_key(memory_.rules.key, to)) continue;
    local_.push_back({binding.tables[feed.index], feed.times, memory_.rules.key});
  }
  if (!local_.empty()) with_.shard.remember(make_record(now_s, binding), local_);
  if (!any_global) return;
  global_.clear();
  if (!lock.owns_lock()) lock = std::unique_lock{with_.global.mutex()};
  auto& store = with_.global.windows();
  const auto& global_binding = store.bind(with_.rules, true, 2);
  for (const auto& feed : with_.rules.feeds[decided.index]) {
    const auto& to = with_.rules.indexes[feed.index];
    if (!to.global || !make_key(memory_.rules.key, to) || !with_.global.owns(to.content, memory_.rules.key))
      continue;
    global_.push_back({global_binding.tables[feed.index], feed.times, memory_.rules.key});
  }
  const auto second = with_.global.advance_clock(now_s);
  if (!global_.empty()) store.remember(make_record(second, global_binding), global_);
  lock.unlock();
  send_entries(index, now_s);
}

global_entry event_committer::entry_of(const rule& decided, std::int64_t now_s, std::int32_t mark) const {
  const auto& ev = memory_.current;
  global_entry entry;
  entry.rule_id = decided.id;
  entry.second = now_s;
  entry.mark = mark;
  entry.type = ev.type;
  entry.has_dynamics = !ev.dynamics.empty();
  entry.agent = ev.source->agent_id;
  entry.full_log = ev.full_log;
  if (with_.rules.keeps_logs) entry.log = ev.log;
  for (const auto& of : with_.rules.stored)
    if (const auto value = memory_.rules.values.get(of))
      entry.values.emplace_back(name_of(of, with_.rules.slots), *value);
  return entry;
}

void event_committer::keep_targets(global_entry& entry, const rule& decided, std::uint64_t owner) const {
  std::string key;
  for (const auto& feed : with_.rules.feeds[decided.index]) {
    const auto& to = with_.rules.indexes[feed.index];
    if (!to.global || !make_key(key, to) || with_.global.owner_of(to.content, key) != owner) continue;
    global_entry::target target;
    target.content = to.content;
    target.key = key;
    target.times = feed.times;
    entry.targets.push_back(std::move(target));
  }
}

/// For windows of other nodes that no answer has entered the event in already.
void event_committer::send_entries(std::uint32_t index, std::int64_t now_s) {
  const auto& decided = *memory_.last.verdict;
  std::string key;
  std::vector<std::uint64_t> owners;
  for (const auto& feed : with_.rules.feeds[decided.index]) {
    const auto& to = with_.rules.indexes[feed.index];
    if (!to.global || !make_key(key, to) || with_.global.owns(to.content, key)) continue;
    const auto owner = with_.global.owner_of(to.content, key);
    if (progress_.answers.entered.count({index, owner}) == 0
        && std::find(owners.begin(), owners.end(), owner) == owners.end())
      owners.push_back(owner);
  }
  for (const auto owner : owners) {
    global_operation operation;
    operation.event = index;
    operation.owner = owner;
    operation.second = now_s;
    operation.if_fails = entry_of(decided, now_s, memory_.rules.effects.own_mark);
    keep_targets(*operation.if_fails, decided, owner);
    progress_.operations.push_back(std::move(operation));
  }
}

void event_committer::commit(std::uint32_t index, const verdict& decided, std::int64_t now_s,
                             const window_binding& binding, std::unique_lock<std::mutex>& lock) {
  memory_.last = {};
  ++with_.counters.events;
  with_.counters.decoded += memory_.current.decoder ? 1 : 0;
  decide(decided);
  // Rendered first: previous texts are views of what remembering may drop.
  render(index);
  apply_effects(lock);
  with_.shard.clock_s = now_s;
  if (memory_.current.decoder && memory_.current.decoder->accumulate) ++with_.shard.accumulated_number;
  if (memory_.last.remembered) remember(index, now_s, binding, lock);
  with_.counters.limits_hit += memory_.matching.budget.limits_hit;
  with_.counters.counted_locally += counts_locally_ ? 1 : 0;
  counts_locally_ = false;
}

} // namespace picket::engine
