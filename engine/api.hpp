#pragma once

// The engine as its callers see it (engine.md 1.2): compile a rule set (load/ruleset.hpp), evaluate batches
// of events against it, carry the state of a shard from batch to batch (state/shard_state.hpp,
// state/encode.hpp). No thread, clock, file or global variable: all that varies is an argument.

#include "engine/event/event.hpp"
#include "engine/load/ruleset.hpp"
#include "engine/plain/decode.hpp"
#include "engine/plain/rules.hpp"
#include "engine/render/alert.hpp"
#include "engine/state/first_seen.hpp"
#include "engine/state/global_exchange.hpp"
#include "engine/state/global_windows.hpp"
#include "engine/state/node_state.hpp"
#include "engine/state/shard_state.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// Names a record for ever; its alerts are numbered below it. The same on every attempt, on whatever node.
struct alert_id {
  std::uint32_t node = 0;
  std::uint32_t boot = 0;
  std::uint64_t sequence = 0; ///< of the batch
  std::uint32_t index = 0;    ///< of the record in the batch
};

/// "<epoch seconds>.<node><boot, 6 digits><sequence, 12><index, 4><which, 1>": the form of alerts.json.
void append_alert_id(std::string& to, const alert_id& id, std::int64_t arrival_ms, unsigned which);

/// One event of a batch. Texts must stay until the batch is done.
struct event_in {
  const engine::source* source = nullptr;
  std::string_view text;
  std::int64_t arrival_ms = 0;   ///< of the record: the alert's time stamp
  std::int32_t utc_offset_s = 0; ///< of the node's local time
  alert_id id;
};

/// Which evaluator runs. There is one now; the fast one and its comparison come beside it.
enum class evaluation_mode { plain };

/// The live engine or log-test: rules.md 9 says how they differ.
enum class analysis_path { live, logtest };

struct engine_limits {
  match_budget matching;
  decode_limits decoding;
  bool firewall_filter = true; ///< `log_fw`: drop firewall events that lack one of six fields (rules.md 3.8)
};

/// Which files the caller keeps.
struct wanted_outputs {
  bool alerts_json = true;
  bool alerts_text = false;
  bool archives_json = false;
  bool archives_text = false;
  bool firewall_text = false;
};

/// Plain integers, added to the node's once per batch.
struct engine_counters {
  std::uint64_t events = 0;
  std::uint64_t decoded = 0;
  std::uint64_t verdicts = 0;
  std::uint64_t alerts = 0;
  std::uint64_t ignored = 0; ///< verdicts inside an ignore window
  std::uint64_t refused = 0;
  std::uint64_t limits_hit = 0;      ///< matches given up
  std::uint64_t counted_locally = 0; ///< look-backs of global rules without their owner's answer
  decode_counters decoding;
  std::vector<rule_tally> rules; ///< by rule index; resized by the engine
};

/// What one call works with.
struct context {
  const ruleset& rules;
  shard_state& shard;
  node_state& node;
  first_seen& first;
  global_windows& global;
  const engine_limits& limits;
  engine_counters& counters;
  wanted_outputs outputs;
  evaluation_mode mode = evaluation_mode::plain;
  analysis_path path = analysis_path::live;
  trace* listener = nullptr;
};

/// A stretch of a text of `batch_out`.
struct text_range {
  std::size_t offset = 0;
  std::size_t length = 0;
};

/// One alert; outputs and active responses read this, never the JSON.
struct alert_ref {
  std::uint32_t event = 0; ///< index in the batch
  const engine::rule* rule = nullptr;
  const engine::rule* parent = nullptr;
  int level = 0;
  bool mail = false;
  bool active_response = false; ///< the rule allows it
  bool counted_locally = false; ///< a global look-back had no answer from its owner
  text_range json;
  text_range text;
};

enum class refusal : std::uint8_t { firewall_incomplete };

struct refused_event {
  std::uint32_t event = 0;
  refusal reason = refusal::firewall_incomplete;
};

/// What a batch brought forth. Appended to; clear it between batches.
struct batch_out {
  std::string json, text, archive_json, archive_text, firewall;
  std::vector<alert_ref> alerts;
  std::vector<refused_event> refused;

  void clear();
};

/// What became of the last event that was committed; for log-test, which shows more than alerts.
struct event_result {
  const rule* verdict = nullptr; ///< of the tree, or the parent that took over; null: none
  const rule* shown = nullptr;   ///< the same, but null for level 0 on the live path (rules.md 9)
  const rule* parent = nullptr;
  std::uint32_t firedtimes = 0;
  bool alert = false;
  bool remembered = false;
  bool refused = false;
  std::string description;
};

/// Memory of one executor, used again for every event.
struct scratch {
  arena memory;
  match_scratch matching;
  event current; ///< the last event, until the next call
  rule_scratch rules;
  render_scratch render;
  event_result last;
  std::string id;
};

/// How far a batch came, and what is open (engine.md 1.5).
struct evaluated {
  std::span<const event_in> events;
  std::uint32_t next = 0; ///< first event that is not committed
  /// For other nodes, in order: ask what is asked, enter what is to be entered.
  std::vector<global_operation> operations;

  /// Nothing is open. `operations` may still hold entries for other nodes.
  bool complete() const noexcept { return next == events.size(); }

  global_answers answers; ///< that this batch has had so far
};

/// Phase 1: analyses events in order and appends what they raise to `out`, up to the first one that reaches a
/// global window of another owner. From there on it only collects what is to be asked. Per event all or
/// nothing: state, counters and `out` never hold half of one.
evaluated evaluate(std::span<const event_in> events, const context& with, scratch& memory, batch_out& out);

/// Phase 2: goes on with the answers, in the order of the questions among `operations`. Incomplete only if an
/// answer raised new questions and `last` is false; with `last` what is missing is counted from what this
/// node has, and marked.
evaluated finish(evaluated&& open, std::span<const window_answer> answers, bool last, const context& with,
                 scratch& memory, batch_out& out);

} // namespace picket::engine
