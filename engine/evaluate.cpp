#include "engine/api.hpp"

#include "engine/commit.hpp"
#include "engine/event/predecode.hpp"

#include <algorithm>
#include <cstdio>

namespace picket::engine {

namespace {

std::int64_t seconds_of(std::int64_t ms) { return ms / 1000 - (ms % 1000 < 0 ? 1 : 0); }

/// Answers about windows of other nodes while one event is walked; notes what is asked and not known.
class answer_book final : public remote_windows {
public:
  struct question {
    const rule* composite = nullptr;
    const window_index* index = nullptr;
    std::string key;
  };

  answer_book(const global_answers& answers, std::uint32_t event)
      : answers_(answers)
      , event_(event) {}

  const window_answer* look_up(const rule& composite, const window_index& index,
                               std::string_view key) override {
    if (assumed_ && composite.id == assumed_->composite->id && key == assumed_->key) return &assumption_;
    const auto at = answers_.known.find({event_, composite.id, std::string{key}});
    if (at != answers_.known.end()) return &at->second;
    if (!unknown_) unknown_ = question{&composite, &index, std::string{key}};
    return nullptr;
  }

  const std::optional<question>& unknown() const { return unknown_; }
  /// Walks again as if the question had this answer.
  void assume(const question& of, bool holds) {
    assumed_ = of;
    assumption_.holds = holds;
    unknown_.reset();
  }

private:
  const global_answers& answers_;
  std::uint32_t event_;
  std::optional<question> unknown_;
  std::optional<question> assumed_;
  window_answer assumption_;
};

/// Runs the events of one call, one after the other.
class batch_run {
public:
  batch_run(const context& with, scratch& memory, batch_out& out, evaluated& progress)
      : with_(with)
      , memory_(memory)
      , progress_(progress)
      , committer_(with, memory, out, progress)
      , binding_(with.shard.windows.bind(with.rules, false)) {
    if (with.counters.rules.size() < with.rules.tree.rules.size())
      with.counters.rules.resize(with.rules.tree.rules.size());
    const auto& indexes = with.rules.indexes;
    may_stay_open_ =
        !with.global.alone()
        && std::any_of(indexes.begin(), indexes.end(), [](const auto& index) { return index.global; });
  }

  /// Commits events until one is open; with `last` none stays open.
  void run(bool last) {
    while (!progress_.complete()) {
      if (!run_event(progress_.next, last)) {
        explore();
        return;
      }
      ++progress_.next;
    }
  }

private:
  bool run_event(std::uint32_t index, bool last) {
    const auto& in = progress_.events[index];
    auto& shard = with_.shard;
    const auto now_s = std::max(shard.clock_s, seconds_of(in.arrival_ms));
    if (!may_stay_open_) {
      // The usual case: nothing can stay open, so the accumulator may be written at once.
      prepare(in, now_s, shard.accumulated);
      return commit(index, now_s, nullptr);
    }
    auto accumulated = shard.accumulated;
    prepare(in, now_s, accumulated);
    answer_book book(progress_.answers, index);
    if (!walk_and_commit(index, now_s, &book, last)) return false;
    shard.accumulated = std::move(accumulated);
    return true;
  }

  /// Pre-decodes, decodes and fills accumulated fields.
  void prepare(const event_in& in, std::int64_t now_s, accumulator& accumulated) {
    auto& ev = memory_.current;
    memory_.memory.reset();
    memory_.matching.budget = with_.limits.matching;
    ev.clear();
    ev.source = in.source;
    ev.arrival_ms = in.arrival_ms;
    ev.utc_offset_s = in.utc_offset_s;
    ev.full_log = in.text;
    predecode(ev);
    decode(ev, with_.rules.decoders, memory_.matching, memory_.memory, with_.limits.decoding,
           &with_.counters.decoding, with_.listener);
    accumulated.apply(ev, now_s, memory_.memory);
  }

  walk_input input(std::int64_t now_s, remote_windows* remote) {
    return {with_.rules, with_.shard,           binding_,      with_.first, &with_.global, remote,
            now_s,       &with_.counters.rules, with_.listener};
  }

  bool commit(std::uint32_t index, std::int64_t now_s, remote_windows* remote) {
    if (committer_.refuse(index)) return true;
    memory_.rules.claimed.clear();
    for (;;) {
      std::unique_lock<std::mutex> lock;
      const auto decided = walk(memory_.current, input(now_s, remote), memory_.rules, memory_.matching, lock);
      // Another event of the node may have brought the same key first: then this one sees it as known.
      if (!committer_.claim_first_seen()) continue;
      committer_.commit(index, decided, now_s, binding_, lock);
      return true;
    }
  }

  /// False: the event is open.
  bool walk_and_commit(std::uint32_t index, std::int64_t now_s, answer_book* book, bool last) {
    std::unique_lock<std::mutex> lock;
    memory_.rules.claimed.clear();
    walk(memory_.current, input(now_s, book), memory_.rules, memory_.matching, lock);
    const bool open = book->unknown().has_value();
    if (lock.owns_lock()) lock.unlock();
    if (open && !last) return false;
    if (open) committer_.counts_locally();
    return commit(index, now_s, open ? nullptr : book);
  }

  /// Walks what is left without writing, and collects what is to be asked.
  void explore() {
    auto accumulated = with_.shard.accumulated;
    auto now_s = with_.shard.clock_s;
    const auto tallies = with_.counters.rules;
    for (auto index = progress_.next; index < progress_.events.size(); ++index) {
      const auto& in = progress_.events[index];
      now_s = std::max(now_s, seconds_of(in.arrival_ms));
      prepare(in, now_s, accumulated);
      if (!committer_.would_refuse()) explore_event(index, now_s);
    }
    with_.counters.rules = tallies;
  }

  void explore_event(std::uint32_t index, std::int64_t now_s) {
    answer_book book(progress_.answers, index);
    verdict fails;
    std::int32_t fails_mark = 0;
    explore_walk(book, now_s, fails, fails_mark);
    if (!book.unknown()) return;
    const auto asked = *book.unknown();
    global_operation operation;
    operation.event = index;
    operation.ask = true;
    operation.composite = asked.composite->id;
    operation.content = asked.index->content;
    operation.key = asked.key;
    operation.owner = with_.global.owner_of(operation.content, operation.key);
    operation.second = now_s;
    operation.asking = committer_.entry_of(*asked.composite, now_s, 0);
    for (const bool holds : {false, true}) {
      verdict decided;
      std::int32_t mark = 0;
      book.assume(asked, holds);
      explore_walk(book, now_s, decided, mark);
      // Another open question behind this one: what to enter is known only after its answer.
      if (book.unknown() || !decided.rule || decided.rule->level == 0) continue;
      auto entry = committer_.entry_of(*decided.rule, now_s, mark);
      committer_.keep_targets(entry, *decided.rule, operation.owner);
      if (!entry.targets.empty()) (holds ? operation.if_holds : operation.if_fails) = std::move(entry);
    }
    progress_.operations.push_back(std::move(operation));
  }

  void explore_walk(answer_book& book, std::int64_t now_s, verdict& decided, std::int32_t& mark) {
    std::unique_lock<std::mutex> lock;
    decided = walk(memory_.current, input(now_s, &book), memory_.rules, memory_.matching, lock);
    mark = memory_.rules.effects.own_mark;
  }

  const context& with_;
  scratch& memory_;
  evaluated& progress_;
  event_committer committer_;
  const window_binding& binding_;
  bool may_stay_open_ = false; ///< another node may own windows that these rules read
};

} // namespace

void append_alert_id(std::string& to, const alert_id& id, std::int64_t arrival_ms, unsigned which) {
  char buffer[96];
  const int length = std::snprintf(buffer, sizeof buffer, "%lld.%u%06u%012llu%04u%u",
                                   static_cast<long long>(seconds_of(arrival_ms)), id.node, id.boot,
                                   static_cast<unsigned long long>(id.sequence), id.index, which);
  to.append(buffer, static_cast<std::size_t>(length));
}

void batch_out::clear() {
  for (auto* each : {&json, &text, &archive_json, &archive_text, &firewall})
    each->clear();
  alerts.clear();
  refused.clear();
}

evaluated evaluate(std::span<const event_in> events, const context& with, scratch& memory, batch_out& out) {
  evaluated progress;
  progress.events = events;
  batch_run(with, memory, out, progress).run(false);
  return progress;
}

evaluated finish(evaluated&& open, std::span<const window_answer> answers, bool last, const context& with,
                 scratch& memory, batch_out& out) {
  evaluated progress = std::move(open);
  std::size_t at = 0;
  for (const auto& operation : progress.operations) {
    if (!operation.ask || at == answers.size()) continue;
    const auto& answer = answers[at++];
    progress.answers.known[{operation.event, operation.composite, operation.key}] = answer;
    if (answer.holds ? operation.if_holds : operation.if_fails)
      progress.answers.entered.emplace(operation.event, operation.owner);
  }
  progress.operations.clear();
  batch_run(with, memory, out, progress).run(last);
  return progress;
}

} // namespace picket::engine
