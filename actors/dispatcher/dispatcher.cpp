#include "actors/dispatcher/dispatcher.hpp"

#include <chrono>

#include <caf/send.hpp>

#include "base/time.hpp"

namespace picket {

namespace {

constexpr const char* failed_three_times = "the analysis died three times with its batch";

} // namespace

void dispatcher_state::start() {
  schedule = std::make_unique<shard_schedule>(setup.shards, setup.executors);
  states.resize(setup.shards);
  suspects.insert(setup.suspects.begin(), setup.suspects.end());
  again.resize(setup.shards);
  at_work.resize(setup.executors);
  for (std::size_t i = 0; i < setup.executors; ++i) {
    executors.push_back(setup.make_executor());
    self->monitor(executors.back().decoder);
    self->monitor(executors.back().rule);
  }
}

void dispatcher_state::pump() {
  while (auto to = next_assignment())
    give(*to);
  show();
  settle_drain();
}

/// A batch that an earlier process has begun and not finished may have ended it. It runs alone, so that a
/// further death speaks against this batch and no other.
std::optional<shard_schedule::assignment> dispatcher_state::next_assignment() {
  std::optional<shard_id> first;
  for (auto shard : suspects) {
    if (schedule->running(shard)) return std::nullopt;
    if (!first && schedule->waits(shard)) first = shard;
  }
  if (!first) return schedule->next();
  return schedule->busy() == 0 ? schedule->next_of(*first) : std::nullopt;
}

void dispatcher_state::give(shard_schedule::assignment to) {
  auto what = again[to.shard] ? std::move(again[to.shard]) : setup.source->take(to.shard);
  again[to.shard] = nullptr;
  if (!what) return schedule->finish(to.shard, false);
  what->executor = to.executor;
  // Earlier processes died with it: it must not end this one as well.
  if (what->attempt > max_attempts || (what->attempt == max_attempts && !what->examined))
    return examine(what);
  if (what->examined) setup.source->count_attempts(*what, what->attempt);
  run(what);
}

void dispatcher_state::run(const work_ptr& what) {
  auto& state = states[what->shard];
  if (!state) state = setup.make_state();
  what->state = state;
  what->rules = setup.rules;
  at_work[what->executor] = what;
  self->send(executors[what->executor].decoder, open_atom_v, what);
}

namespace {

examination_order_ptr order_of(const work& what, const std::string& reason) {
  auto order = std::make_shared<examination_order>();
  order->batch = what.id;
  order->reason = reason;
  for (const auto& record : what.records)
    order->records.push_back({record.agent, record.arrival_ms, record.kind, std::string{record.bytes}});
  return order;
}

constexpr std::chrono::milliseconds examine_limit{examine_limit_ms};

} // namespace

/// The executor works for other shards meanwhile: a child process runs the batch.
void dispatcher_state::examine(const work_ptr& what) {
  schedule->hold(what->shard);
  bool last = what->attempt > max_attempts;
  if (last)
    suspects.erase(what->shard); // it is not run any more
  else
    setup.source->count_attempts(*what, what->attempt - 1); // what ends the process now is not its doing
  examinations.push_back(what);
  ask_examiner();
}

void dispatcher_state::ask_examiner() {
  if (asking || examinations.empty()) return;
  asking = true;
  auto what = examinations.front();
  examinations.pop_front();
  auto done = [this, what](const examined* found) {
    asking = false;
    on_examined(what, found);
    ask_examiner();
    pump();
  };
  auto ask = [&](auto atom, const std::string& reason) {
    self->request(setup.examiner, examine_limit, atom, order_of(*what, reason))
        .then([done](const examined& found) { done(&found); },
              [done](const caf::error& why) {
                // An examiner that is gone stops the node; the batch is in the pool then.
                if (why == caf::sec::request_timeout) done(nullptr);
              });
  };
  if (what->attempt > max_attempts)
    ask(aside_atom_v, failed_three_times);
  else
    ask(examine_atom_v, std::string{});
}

void dispatcher_state::on_examined(const work_ptr& what, const examined* found) {
  bool last = what->attempt > max_attempts;
  if (last && found != nullptr && found->settled) return finish(*what);
  if (last && found == nullptr) return examinations.push_back(what);
  again[what->shard] = what;
  if (found != nullptr && !found->settled) {
    // Its letters could not be written. Its shard waits, others do not.
    self->delayed_send(self, postpone_wait, again_atom_v, what->shard);
    return;
  }
  // Without an answer it has its last attempt as it is.
  if (found != nullptr)
    for (auto index : found->left_out)
      if (index < what->records.size()) what->records[index].kind = record_kind::left_out;
  what->examined = true;
  schedule->release(what->shard);
}

void dispatcher_state::finish(const work& what) {
  suspects.erase(what.shard);
  schedule->finish(what.shard, setup.source->finish(what));
  pump();
}

void dispatcher_state::on_done(const work_ptr& what) {
  // A work that was taken back meanwhile comes from an executor that is gone: its batch runs again.
  if (at_work[what->executor] != what) return;
  at_work[what->executor] = nullptr;
  ++batches;
  setup.counts->dispatch_batches_total.add();
  finish(*what);
}

/// One half has ended: the other one is ended as well, and only when both are gone is their batch run again.
/// One that still worked would read from room of the pool that is given away meanwhile.
void dispatcher_state::on_down(const caf::down_msg& down) {
  for (std::size_t i = 0; i < executors.size(); ++i) {
    auto& one = executors[i];
    bool decoder = one.decoder.address() == down.source;
    if (!decoder && one.rule.address() != down.source) continue;
    if (!one.decoder_ended && !one.rule_ended) {
      setup.log->write(log_event::executor_failed, {{"executor", i}, {"reason", to_string(down.reason)}});
      self->send_exit(one.decoder, caf::exit_reason::kill);
      self->send_exit(one.rule, caf::exit_reason::kill);
    }
    (decoder ? one.decoder_ended : one.rule_ended) = true;
    if (one.decoder_ended && one.rule_ended) replace_executor(i);
    break;
  }
  pump();
}

void dispatcher_state::replace_executor(std::size_t which) {
  executors[which] = setup.make_executor();
  self->monitor(executors[which].decoder);
  self->monitor(executors[which].rule);
  auto lost = std::move(at_work[which]);
  at_work[which] = nullptr;
  if (!lost) return;
  if (lost->attempt >= max_attempts) {
    lost->attempt = max_attempts + 1;
    return examine(lost);
  }
  ++requeued;
  setup.counts->dispatch_requeued_batches_total.add();
  auto retry = std::make_shared<work>();
  retry->id = lost->id;
  retry->shard = lost->shard;
  retry->attempt = lost->attempt + 1;
  retry->opened = lost->opened;
  retry->records = lost->records;
  again[lost->shard] = std::move(retry);
  schedule->requeue(lost->shard);
}

void dispatcher_state::settle_drain() {
  // What lies in the overflow is no work of the schedule's yet.
  if (drains.empty() || !schedule->idle() || setup.source->oldest_arrival_ms()) return;
  for (auto& promise : drains)
    promise.deliver(true);
  drains.clear();
}

void dispatcher_state::show() {
  setup.counts->dispatch_ready_shards.set(static_cast<double>(schedule->ready()));
  setup.counts->dispatch_busy_executors.set(static_cast<double>(schedule->busy()));
  setup.counts->actor_mailbox_messages.set_for("dispatcher", static_cast<double>(self->mailbox().size()));
}

dispatch_status dispatcher_state::status() const {
  return {schedule->executors(), schedule->busy(), schedule->ready(), batches, requeued};
}

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                           dispatcher_setup setup) {
  self->state.self = self;
  self->state.setup = std::move(setup);
  self->state.start();
  self->set_down_handler([self](const caf::down_msg& down) { self->state.on_down(down); });
  return {
      [self](ready_atom, std::uint16_t shard) {
        self->state.schedule->announce(shard);
        self->state.pump();
      },
      [self](done_atom, const work_ptr& what) { self->state.on_done(what); },
      [self](again_atom, std::uint16_t shard) {
        // Its shard is held as it was; no executor has to be free for this.
        self->state.examinations.push_back(std::move(self->state.again[shard]));
        self->state.ask_examiner();
      },
      [self](drain_atom) {
        auto promise = self->make_response_promise<bool>();
        self->state.drains.push_back(promise);
        self->state.settle_drain();
        return promise;
      },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace picket
