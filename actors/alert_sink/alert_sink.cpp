#include "actors/alert_sink/alert_sink.hpp"

#include <chrono>

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"

namespace picket {

namespace {

/// While it lives, the sink is in a call that may wait for the disk; its time counts as that of the stage.
class disk_time {
public:
  explicit disk_time(const sink_setup& setup)
      : setup_{setup}
      , began_{std::chrono::steady_clock::now()} {
    setup_.health->begin(setup_.steady_ms());
  }
  ~disk_time() {
    setup_.health->end();
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - began_;
    setup_.counts->stage_seconds_total.add_for("write", took.count());
  }
  disk_time(const disk_time&) = delete;
  disk_time& operator=(const disk_time&) = delete;

private:
  const sink_setup& setup_;
  std::chrono::steady_clock::time_point began_;
};

} // namespace

void alert_sink_state::append(const work_ptr& what) {
  const auto& out = what->out;
  if (out.json.empty() && out.text.empty() && out.archive_json.empty()) return hand_back(what);
  waiting.push_back(what);
  show();
  if (write_asked) return;
  // Behind what already waits in the mailbox: works that came meanwhile share one sync.
  write_asked = true;
  self->send(self, write_atom_v);
}

bool alert_sink_state::write_one(const work& what) {
  journal_texts texts{what.out.json, what.out.text, what.out.archive_json};
  if (!judge(setup.journal->append(texts, setup.wall_ms()))) return false;
  const auto& bytes = setup.counts->journal_bytes_total;
  bytes.add_for("alerts_json", static_cast<double>(texts.alerts_json.size()));
  bytes.add_for("alerts_log", static_cast<double>(texts.alerts_text.size()));
  bytes.add_for("archives_json", static_cast<double>(texts.archives_json.size()));
  return true;
}

void alert_sink_state::write_waiting() {
  std::size_t count = 0;
  while (count < waiting.size() && write_one(*waiting[count])) {
    if (setup.strict)
      written.push_back(waiting[count]);
    else
      hand_back(waiting[count]);
    ++count;
  }
  waiting.erase(waiting.begin(), waiting.begin() + static_cast<long>(count));
}

void alert_sink_state::write() {
  write_asked = false;
  {
    disk_time counted{setup};
    write_waiting();
    // Works are done only behind a sync that succeeded: the journal sees to it that this one means all of
    // them.
    if (!written.empty() && judge(setup.journal->sync())) {
      for (const auto& one : written)
        hand_back(one);
      written.clear();
    }
  }
  tell_notices();
  show();
  if (waiting.empty() && written.empty()) return recovered();
  write_asked = true;
  self->delayed_send(self, std::chrono::milliseconds{journal_retry_ms}, write_atom_v);
}

void alert_sink_state::hand_back(const work_ptr& what) { setup.done(what); }

bool alert_sink_state::judge(const result<void>& done) {
  if (done) return true;
  setup.counts->journal_failures_total.add();
  auto now_ms = setup.steady_ms();
  bool news = !failing || failing_with != done.error().code;
  if (!failing) failing_since_ms = now_ms;
  failing = true;
  failing_with = done.error().code;
  setup.health->failed(failing_since_ms, to_string(done.error()));
  if (news || now_ms - reminded_ms >= journal_remind_ms) {
    reminded_ms = now_ms;
    setup.log->write(log_event::journal_failed, done.error());
  }
  return false;
}

void alert_sink_state::recovered() {
  if (!failing) return;
  failing = false;
  setup.health->fine();
  setup.log->write(log_event::journal_recovered,
                   {{"after_seconds", (setup.steady_ms() - failing_since_ms + 999) / 1000}});
}

void alert_sink_state::tell_notices() {
  using kind = store::journal_notice::kind;
  const auto& counts = *setup.counts;
  counts.journal_syncs_total.raise_to(static_cast<double>(setup.journal->syncs()));
  for (const auto& notice : setup.journal->take_notices()) {
    switch (notice.what) {
    case kind::repaired:
      counts.journal_lost_bytes_total.add(static_cast<double>(notice.bytes));
      setup.log->write(log_event::journal_repaired, {{"file", notice.file}, {"bytes", notice.bytes}});
      break;
    case kind::replaced:
      setup.log->write(log_event::journal_replaced, {{"file", notice.file}, {"what", notice.problem.what}});
      break;
    case kind::begun:
      counts.journal_new_files_total.add_for(name_of(notice.why));
      setup.health->writes_to(notice.file);
      break;
    case kind::not_rotated:
      setup.log->write(log_event::journal_not_rotated, notice.problem);
      break;
    }
  }
}

void alert_sink_state::show() {
  setup.counts->journal_waiting_batches.set(static_cast<double>(waiting.size() + written.size()));
  setup.counts->actor_mailbox_messages.set_for("alert_sink", static_cast<double>(self->mailbox().size()));
}

bool alert_sink_state::flush() {
  disk_time counted{setup};
  return judge(setup.journal->sync());
}

void alert_sink_state::tick() {
  bool fine = false;
  {
    disk_time counted{setup};
    fine = judge(setup.journal->tick(setup.wall_ms()));
  }
  tell_notices();
  show();
  if (fine && waiting.empty() && written.empty()) recovered();
}

alert_sink_actor::behavior_type alert_sink(alert_sink_actor::stateful_pointer<alert_sink_state> self,
                                           sink_setup setup) {
  name_thread("sink");
  self->state.self = self;
  self->state.setup = std::move(setup);
  self->state.tell_notices(); // of the journal's opening
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
