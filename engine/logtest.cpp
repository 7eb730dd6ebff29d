#include "engine/logtest.hpp"

#include "engine/event/predecode.hpp"
#include "engine/event/source.hpp"
#include "engine/load/decoders.hpp"

namespace picket::engine {

namespace {

constexpr std::size_t sources_max = 1024;

std::optional<std::string> owned(std::optional<std::string_view> text) {
  if (!text) return std::nullopt;
  return std::string{*text};
}

std::string without_line_end(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

logtest_answer::rule_shown shown(const rule& of, const event_result& result) {
  logtest_answer::rule_shown rule;
  rule.id = of.id;
  rule.level = of.level;
  rule.description = result.description;
  rule.groups = of.groups;
  if (!of.no_counter) rule.firedtimes = result.firedtimes;
  if (of.shows_frequency) rule.frequency = of.frequency.value_or(2);
  rule.mail = of.mail;
  rule.mitre = of.mitre;
  rule.info = of.info;
  rule.cve = of.cve;
  rule.compliance = of.compliance;
  return rule;
}

} // namespace

struct logtest_session::impl {
  std::shared_ptr<const ruleset> rules;
  analysis_path path;
  std::string manager_name;
  shard_state shard;
  node_state node;
  first_seen_in_memory first;
  local_global_windows global;
  engine_limits limits;
  engine_counters counters;
  scratch memory;
  batch_out out;
  std::string line; ///< with the readable bytes behind it that matchers want
  std::map<std::string, source, std::less<>> sources;
  std::uint64_t lines = 0;
};

logtest_session::logtest_session(std::shared_ptr<const ruleset> rules, analysis_path path,
                                 std::string manager_name)
    : impl_(std::make_unique<impl>()) {
  impl_->rules = std::move(rules);
  impl_->path = path;
  impl_->manager_name = std::move(manager_name);
}

logtest_session::~logtest_session() = default;
logtest_session::logtest_session(logtest_session&&) noexcept = default;
logtest_session& logtest_session::operator=(logtest_session&&) noexcept = default;

const ruleset& logtest_session::rules() const { return *impl_->rules; }
const shard_state& logtest_session::state() const { return impl_->shard; }
shard_state& logtest_session::state() { return impl_->shard; }
const engine_counters& logtest_session::counters() const { return impl_->counters; }

result<logtest_answer> logtest_session::run(std::string_view line, std::string_view location,
                                            std::int64_t arrival_ms, std::int32_t utc_offset_s,
                                            trace* listener) {
  auto& sources = impl_->sources;
  auto at = sources.find(location);
  if (at == sources.end()) {
    auto made = make_source(location, impl_->manager_name);
    if (!made)
      return fail(errc::invalid_argument, "the location begins with '[' and has no ']'",
                  std::string{location}, "Write a path, or '[id] (name) ip->path' for an event of an agent.");
    if (sources.size() >= sources_max) sources.clear();
    at = sources.emplace(std::string{location}, std::move(*made)).first;
  }
  return run(line, at->second, arrival_ms, utc_offset_s, listener);
}

logtest_answer logtest_session::run(std::string_view line, const source& from, std::int64_t arrival_ms,
                                    std::int32_t utc_offset_s, trace* listener) {
  auto& m = *impl_;
  m.line.assign(line);
  m.line.append(arena::slack_bytes, '\0');
  event_in in;
  in.source = &from;
  in.text = std::string_view{m.line}.substr(0, line.size());
  in.arrival_ms = arrival_ms;
  in.utc_offset_s = utc_offset_s;
  in.id.sequence = ++m.lines;
  wanted_outputs outputs;
  outputs.alerts_json = outputs.alerts_text = outputs.archives_json = true;
  m.out.clear();
  const context with{
      *m.rules, m.shard, m.node, m.first, m.global, m.limits, m.counters, outputs, evaluation_mode::plain,
      m.path,   listener};
  evaluate({&in, 1}, with, m.memory, m.out);

  const auto& ev = m.memory.current;
  const auto& result = m.memory.last;
  logtest_answer answer;
  answer.program_name = owned(ev.program_name);
  answer.timestamp = owned(ev.timestamp);
  answer.hostname = owned(alert_hostname(ev.full_log));
  if (ev.decoder) {
    answer.decoder = ev.decoder->name;
    if (!ev.decoder->parent.empty()) answer.parent = ev.decoder->parent;
  }
  nested_object fields;
  fields.clear();
  put_fields(fields, ev);
  answer.data.clear();
  fields.append(answer.data, m.memory.memory, json_line_bytes_max);
  if (result.shown) answer.rule = shown(*result.shown, result);
  answer.alert = result.alert;
  answer.refused = result.refused;
  answer.document = without_line_end(m.out.json.empty() ? m.out.archive_json : m.out.json);
  answer.text = m.out.text;
  return answer;
}

} // namespace picket::engine
