#include "actors/registry/registry.hpp"

#include <algorithm>

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"

namespace picket::registry {

caf::typed_response_promise<propose_answer> registry_state::propose(proposal_ptr what) {
  auto promise = self->make_response_promise<propose_answer>();
  if (queue.size() >= queue_limit_commands) {
    setup.counts->registry_commands_total.add_for("failed");
    promise.deliver(propose_answer{proposed::busy, 0, {}});
    return promise;
  }
  queue.push_back({std::move(what), promise});
  setup.counts->registry_queue_commands.set(static_cast<double>(queue.size()));
  if (!commit_asked) {
    // Behind what already waits in the mailbox: proposals that came while the last batch was written share
    // this one.
    commit_asked = true;
    self->send(self, commit_atom_v);
  }
  return promise;
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
  std::vector<waiting> taken;
  std::vector<const protocol::command*> commands;
  while (!queue.empty() && taken.size() < batch_limit_commands) {
    auto next = std::move(queue.front());
    queue.pop_front();
    if (next.what->deadline_ms < steady_clock_ms()) {
      next.promise.deliver(propose_answer{proposed::too_late, 0, {}});
      continue;
    }
    commands.push_back(&next.what->command);
    taken.push_back(std::move(next));
  }
  setup.counts->registry_queue_commands.set(static_cast<double>(queue.size()));
  if (!queue.empty()) {
    commit_asked = true;
    self->send(self, commit_atom_v);
  }
  if (taken.empty()) return;
  decided_batch decided;
  std::uint64_t expected = 0;
  {
    auto view = setup.tables->read();
    if (!view) {
      setup.log->write(log_event::registry_failed, view.error());
      for (auto& one : taken)
        one.promise.deliver(propose_answer{proposed::unavailable, 0, {}});
      return;
    }
    expected = view->head().sequence;
    decided = decide_batch(*view, commands, setup.context, wall_clock_ms());
  }
  commit_outcome done{commit_status::committed, expected, {}};
  if (decided.changes_anything) done = setup.store->commit(expected, decided.batch, 4'000);
  answer(taken, decided, done);
  if (decided.changes_anything && done.status == commit_status::committed) tell_subscribers(decided.batch);
}

void registry_state::answer(std::vector<waiting>& taken, const decided_batch& decided,
                            const commit_outcome& done) {
  const auto& counts = *setup.counts;
  if (done.status != commit_status::committed) setup.log->write(log_event::registry_failed, done.why);
  if (decided.changes_anything) counts.registry_batches_total.add();
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& fate = decided.commands[i];
    if (!fate.repeated && done.status != commit_status::committed) {
      counts.registry_commands_total.add_for("failed");
      auto how = done.status == commit_status::unknown ? proposed::unknown : proposed::unavailable;
      taken[i].promise.deliver(propose_answer{how, done.revision, {}});
      continue;
    }
    bool fine = fate.result.done();
    counts.registry_commands_total.add_for(fate.repeated ? "repeated" : fine ? "done" : "refused");
    taken[i].promise.deliver(
        propose_answer{fine ? proposed::ok : proposed::refused, done.revision, fate.result});
  }
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
  now.waiting_commands = queue.size();
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
  self->state.setup = std::move(setup);
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
