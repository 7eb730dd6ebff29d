#include "actors/examiner/examiner.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "actors/decoder/event_source.hpp"
#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"
#include "protocol/agent/event_message.hpp"

namespace picket {

using namespace protocol::examination;

namespace {

constexpr std::chrono::seconds notice_retry{1};
constexpr const char* notice_location = "picket";

record_form form_of(record_kind kind) {
  switch (kind) {
  case record_kind::sealed:
    return record_form::sealed;
  case record_kind::plain:
  case record_kind::again:
    return record_form::message;
  case record_kind::over_limit: // its events are not to be analysed
  case record_kind::left_out:
    break;
  }
  return record_form::none;
}

std::optional<agent_facts> facts_of(agent_id id, const examiner_setup& setup) {
  auto view = setup.tables->read();
  auto row = view ? view->agent(id) : std::nullopt;
  if (!row) return std::nullopt;
  agent_facts facts{id, row->name, row->key, row->address, {}, {}};
  if (auto status = setup.statuses->get(id)) {
    facts.address = status->last_keepalive.agent_ip;
    for (const auto& label : status->last_keepalive.labels)
      if (!label.system) facts.labels.push_back({label.key, label.value, label.hidden});
  }
  return facts;
}

store::dead_letter make_letter(const examination_order& order, const request& what, std::uint32_t index,
                               const std::string* message) {
  const auto& record = order.records[index];
  store::dead_letter letter;
  letter.head.id = store::letter_id(order.batch, index);
  letter.head.agent = record.agent;
  for (const auto& agent : what.agents)
    if (agent.id == record.agent) letter.head.agent_name = agent.name;
  letter.head.arrival_ms = record.arrival_ms;
  letter.head.node = what.node_name;
  letter.head.batch = order.batch;
  letter.head.record = index;
  letter.form = store::letter_form::sealed;
  letter.bytes = record.bytes;
  if (message == nullptr) return letter;
  letter.form = store::letter_form::message;
  letter.bytes = *message;
  if (auto event = protocol::parse_event_message(*message)) {
    letter.location = protocol::unescape_location(event->location);
    letter.text = event_text(*event);
  }
  return letter;
}

} // namespace

request make_request(const examination_order& order, const examiner_setup& setup, bool evaluate) {
  auto what = setup.common;
  what.batch = order.batch;
  what.evaluate = evaluate;
  std::map<agent_id, bool> asked;
  for (const auto& record : order.records) {
    what.records.push_back({record.agent, form_of(record.kind), record.arrival_ms, record.bytes});
    if (record.agent == 0 || !asked.emplace(record.agent, true).second) continue;
    if (auto facts = facts_of(record.agent, setup)) what.agents.push_back(std::move(*facts));
  }
  return what;
}

std::vector<store::dead_letter> make_letters(const examination_order& order, const request& what,
                                             const examination_findings& findings, bool whole,
                                             std::int64_t now_ms) {
  std::vector<store::dead_letter> letters;
  for (std::uint32_t i = 0; i < order.records.size(); ++i) {
    auto fatal = findings.fatal.find(i);
    auto opened = findings.messages.find(i);
    const auto* message = opened == findings.messages.end() ? nullptr : &opened->second;
    if (message == nullptr && form_of(order.records[i].kind) == record_form::message)
      message = &order.records[i].bytes;
    // What was reached and not opened is no line: a control message, or a record of another key.
    bool unreached =
        !findings.complete && message == nullptr && form_of(order.records[i].kind) != record_form::none;
    bool is_fatal = fatal != findings.fatal.end();
    if (!is_fatal && !(whole && (message != nullptr || unreached))) continue;
    auto letter = make_letter(order, what, i, message);
    letter.head.kept_ms = now_ms;
    letter.head.reason = is_fatal ? fatal->second : order.reason;
    letter.head.examined = is_fatal && !whole;
    letters.push_back(std::move(letter));
  }
  return letters;
}

examined examiner_state::examine(const examination_order& order) {
  if (const auto* known = unwritten_of(order, false)) return answer_of(order, false, *known);
  auto began_ms = steady_clock_ms();
  auto what = make_request(order, setup, true);
  auto findings = setup.examine(what);
  auto letters = make_letters(order, what, findings, false, wall_clock_ms());
  setup.counts->dispatch_examined_batches_total.add();
  setup.log->write(log_event::batch_examined, {{"sequence", order.batch.sequence},
                                               {"records", order.records.size()},
                                               {"fatal", letters.size()},
                                               {"children", findings.children},
                                               {"ms", steady_clock_ms() - began_ms},
                                               {"unfinished", findings.complete ? "" : findings.problem}});
  return answer_of(order, false, std::move(letters));
}

examined examiner_state::set_aside(const examination_order& order) {
  if (const auto* known = unwritten_of(order, true)) return answer_of(order, true, *known);
  auto what = make_request(order, setup, false);
  auto findings = setup.examine(what);
  auto letters = make_letters(order, what, findings, true, wall_clock_ms());
  setup.log->write(log_event::batch_failed, {{"sequence", order.batch.sequence},
                                             {"records", order.records.size()},
                                             {"lines", letters.size()},
                                             {"reason", order.reason}});
  return answer_of(order, true, std::move(letters));
}

const std::vector<store::dead_letter>* examiner_state::unwritten_of(const examination_order& order,
                                                                    bool whole) const {
  for (const auto& one : found)
    if (one.batch == order.batch && one.whole == whole) return &one.letters;
  return nullptr;
}

examined examiner_state::answer_of(const examination_order& order, bool whole,
                                   std::vector<store::dead_letter> letters) {
  examined answer;
  answer.settled = keep(letters);
  if (whole)
    for (std::uint32_t i = 0; i < order.records.size(); ++i)
      answer.left_out.push_back(i);
  else
    for (const auto& letter : letters)
      answer.left_out.push_back(letter.head.record);
  std::erase_if(found, [&](const unwritten& one) { return one.batch == order.batch; });
  if (!answer.settled) found.push_back({order.batch, whole, std::move(letters)});
  if (found.size() > unwritten_kept) found.pop_front();
  return answer;
}

bool examiner_state::keep(const std::vector<store::dead_letter>& letters) {
  std::vector<store::dead_letter> kept;
  for (const auto& letter : letters) {
    if (setup.letters->letters().find(letter.head.id)) continue; // by an earlier try with this batch
    if (letter.head.examined && setup.letters->seen(letter.text)) continue;
    auto outcome = setup.letters->keep(letter);
    if (outcome == letter_office::keeping::kept) kept.push_back(letter);
    if (outcome == letter_office::keeping::later) {
      announce(kept);
      return false;
    }
  }
  announce(kept);
  return true;
}

void examiner_state::announce(const std::vector<store::dead_letter>& letters) {
  struct tally {
    std::size_t lines = 0;
    const store::letter_head* first = nullptr;
  };
  std::map<agent_id, tally> agents;
  for (const auto& letter : letters) {
    auto& one = agents[letter.head.agent];
    if (++one.lines == 1) one.first = &letter.head;
  }
  // Nothing of the line is in it: the analysis must not die of this event, too.
  for (const auto& [agent, one] : agents)
    if (waiting.size() >= notices_kept)
      setup.counts->session_dropped_notices_total.add();
    else
      waiting.push_back({agent, "picket: Dead letter " + one.first->id
                                    + ", lines set aside: " + std::to_string(one.lines)
                                    + ", the analysis died: " + one.first->reason + "."});
  send_notices();
}

void examiner_state::send_notices() {
  while (!waiting.empty()) {
    const auto& next = waiting.front();
    if (!setup.notices->take(next.agent, notice_location, next.text)) break;
    waiting.pop_front();
  }
}

examiner_actor::behavior_type examiner(examiner_actor::stateful_pointer<examiner_state> self,
                                       examiner_setup setup) {
  name_thread("examiner");
  self->state.self = self;
  self->state.setup = std::move(setup);
  self->delayed_send(self, notice_retry, tick_atom_v);
  return {
      [self](examine_atom, const examination_order_ptr& order) { return self->state.examine(*order); },
      [self](aside_atom, const examination_order_ptr& order) { return self->state.set_aside(*order); },
      [self](tick_atom) {
        self->state.send_notices();
        self->delayed_send(self, notice_retry, tick_atom_v);
      },
  };
}

} // namespace picket
