#include "actors/registry/registry.hpp"

#include <algorithm>
#include <chrono>

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"

namespace picket::registry {

result<void> embedded_ground::look(const looker& look) {
  auto view = tables_.read();
  if (!view) return tl::unexpected<error>(view.error());
  look(*view, {view->head().sequence, view->head_bytes()});
  return {};
}

std::uint64_t embedded_ground::applied() {
  auto view = tables_.read();
  return view ? view->head().sequence : 0;
}

void registry_state::begin(registry_setup given) {
  setup = std::move(given);
  batcher_options options;
  options.limits = {};         // no other process limits a transaction
  options.repeat_limit_ms = 0; // the log is kept by rows, not by time
  options.tries_again = false;
  ground.emplace(*setup.tables);
  commands.emplace(*ground, setup.context, options);
}

caf::typed_response_promise<propose_answer> registry_state::propose(proposal_ptr what) {
  auto promise = self->make_response_promise<propose_answer>();
  commands->offer(what->command, what->deadline_ms, steady_clock_ms(),
                  [this, promise](const propose_answer& answer) mutable {
                    count(answer);
                    promise.deliver(answer);
                  });
  setup.counts->registry_queue_commands.set(static_cast<double>(commands->waiting()));
  if (commands->waiting() > 0) ask_commit();
  return promise;
}

void registry_state::ask_commit() {
  // Behind what already waits in the mailbox: proposals that came while the last batch was written share
  // this one.
  if (commit_asked) return;
  commit_asked = true;
  auto wait_ms = commands->wake_at_ms() - steady_clock_ms();
  bool later = commands->held_back(steady_clock_ms());
  if (later && wait_ms > 0)
    self->delayed_send(self, std::chrono::milliseconds(wait_ms), commit_atom_v);
  else
    self->send(self, commit_atom_v);
}

void registry_state::count(const propose_answer& answer) {
  const auto& counts = *setup.counts;
  bool decided = answer.how == proposed::ok || answer.how == proposed::refused;
  counts.registry_commands_total.add_for(!decided                     ? "failed"
                                         : answer.repeated            ? "repeated"
                                         : answer.how == proposed::ok ? "done"
                                                                      : "refused");
}

propose_answer registry_state::outcome(const protocol::request_id& id) {
  auto view = setup.tables->read();
  if (!view) return {proposed::unavailable, 0, {}};
  auto known = view->outcome(id);
  if (!known) return {proposed::unavailable, view->head().sequence, {}};
  return {known->done() ? proposed::ok : proposed::refused, view->head().sequence, *known};
}

void registry_state::commit() {
  commit_asked = false;
  if (auto request = commands->next(steady_clock_ms(), wall_clock_ms()))
    commands->finished(setup.store->commit(request->expected, request->batch, request->limit_ms),
                       steady_clock_ms());
  if (auto failure = commands->take_failure()) setup.log->write(log_event::registry_failed, *failure);
  if (auto batch = commands->take_committed()) {
    setup.counts->registry_batches_total.add();
    tell_subscribers(*batch);
  }
  setup.counts->registry_queue_commands.set(static_cast<double>(commands->waiting()));
  if (commands->waiting() > 0) ask_commit();
}

void registry_state::tell_subscribers(const store::registry_batch& batch) {
  auto changes = std::make_shared<registry_changes>();
  changes->revision = batch.head.sequence;
  changes->rows = batch.writes;
  changes_ptr shared = std::move(changes);
  for (const auto& subscriber : subscribers)
    self->send(subscriber, changed_atom_v, shared);
}

registry_status registry_state::status() {
  registry_status now;
  now.backend = setup.store->name();
  now.waiting_commands = commands->waiting();
  auto view = setup.tables->read();
  now.writable = view.has_value();
  if (view) {
    now.revision = view->head().sequence;
    now.agents = view->agent_count();
    now.groups = view->group_count();
  }
  return now;
}

registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
                                       registry_setup setup) {
  name_thread("registry");
  self->state.self = self;
  self->state.begin(std::move(setup));
  self->set_down_handler([self](const caf::down_msg& down) {
    auto& all = self->state.subscribers;
    all.erase(
        std::remove_if(all.begin(), all.end(), [&](const auto& one) { return one.address() == down.source; }),
        all.end());
  });
  return {
      [self](propose_atom, const proposal_ptr& what) { return self->state.propose(what); },
      [self](outcome_atom, const protocol::request_id& id) { return self->state.outcome(id); },
      [self](subscribe_atom, const registry_subscriber_actor& who) {
        self->monitor(who);
        self->state.subscribers.push_back(who);
      },
      [self](commit_atom) { self->state.commit(); },
      [self](status_atom) { return self->state.status(); },
  };
}

} // namespace picket::registry
