#include "actors/alert_sink/alert_sink.hpp"

#include <chrono>

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"

namespace picket {

void alert_sink_state::append(const work_ptr& what) {
  const auto& out = what->out;
  if (out.json.empty() && out.text.empty() && out.archive_json.empty()) return hand_back(what);
  waiting.push_back(what);
  if (write_asked) return;
  // Behind what already waits in the mailbox: works that came meanwhile share one sync.
  write_asked = true;
  self->send(self, write_atom_v);
}

bool alert_sink_state::write_one(const work& what) {
  journal_texts texts{what.out.json, what.out.text, what.out.archive_json};
  auto done = setup.journal->append(texts, setup.wall_ms());
  if (done) {
    const auto& bytes = setup.counts->journal_bytes_total;
    bytes.add_for("alerts_json", static_cast<double>(texts.alerts_json.size()));
    bytes.add_for("alerts_log", static_cast<double>(texts.alerts_text.size()));
    bytes.add_for("archives_json", static_cast<double>(texts.archives_json.size()));
    return true;
  }
  setup.counts->journal_failures_total.add();
  setup.log->write(log_event::journal_failed, done.error());
  return false;
}

void alert_sink_state::write() {
  write_asked = false;
  std::size_t count = 0;
  while (count < waiting.size() && write_one(*waiting[count])) {
    if (setup.strict)
      written.push_back(waiting[count]);
    else
      hand_back(waiting[count]);
    ++count;
  }
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<long>(count));
  if (!written.empty()) {
    auto synced = setup.journal->sync();
    if (synced) {
      for (const auto& one : written)
        hand_back(one);
      written.clear();
    } else {
      setup.counts->journal_failures_total.add();
      setup.log->write(log_event::journal_failed, synced.error());
    }
  }
  if (waiting.empty() && written.empty()) return;
  write_asked = true;
  self->delayed_send(self, std::chrono::milliseconds{journal_retry_ms}, write_atom_v);
}

void alert_sink_state::hand_back(const work_ptr& what) { setup.done(what); }

bool alert_sink_state::flush() {
  auto synced = setup.journal->sync();
  if (!synced) setup.log->write(log_event::journal_failed, synced.error());
  return synced.has_value();
}

void alert_sink_state::tick() {
  auto done = setup.journal->tick(setup.wall_ms());
  if (done) return;
  setup.counts->journal_failures_total.add();
  setup.log->write(log_event::journal_failed, done.error());
}

alert_sink_actor::behavior_type alert_sink(alert_sink_actor::stateful_pointer<alert_sink_state> self,
                                           sink_setup setup) {
  name_thread("sink");
  self->state.self = self;
  self->state.setup = std::move(setup);
  self->delayed_send(self, std::chrono::milliseconds{self->state.setup.tick_ms}, tick_atom_v);
  return {
      [self](append_atom, const work_ptr& what) { self->state.append(what); },
      [self](write_atom) { self->state.write(); },
      [self](flush_atom) { return self->state.flush(); },
      [self](tick_atom) {
        self->state.tick();
        self->delayed_send(self, std::chrono::milliseconds{self->state.setup.tick_ms}, tick_atom_v);
      },
  };
}

} // namespace picket
