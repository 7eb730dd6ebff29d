#include "actors/examiner/line_worker.hpp"

#include "base/faults/faults.hpp"
#include "base/time.hpp"
#include "protocol/agent/control.hpp"

namespace picket {

using namespace protocol::examination;

struct line_worker::opener {
  const agent_facts* facts = nullptr;
  std::unique_ptr<protocol::record_opener> with;
};

line_worker::line_worker(const request& what, std::shared_ptr<const engine::ruleset> rules)
    : what_{what}
    , rules_{std::move(rules)}
    , shard_{std::make_unique<engine::shard_state>()}
    , global_{engine::hash_seed{}} {
  for (const auto& agent : what.agents) {
    auto key = protocol::derive_record_key(to_text(agent.id), agent.name, agent.key);
    openers_[agent.id] = {&agent, std::make_unique<protocol::record_opener>(key)};
  }
}

line_worker::~line_worker() = default;

std::string_view line_worker::message_of(const record& record) {
  if (record.form == record_form::message) return record.bytes;
  auto known = openers_.find(record.agent);
  if (record.form != record_form::sealed || known == openers_.end()) return {};
  auto head = protocol::parse_record_head(as_bytes(record.bytes));
  if (!head) return {};
  auto opened = known->second.with->open(head->cipher, head->ciphertext, opening_);
  return opened && !protocol::is_control(opened->message) ? opened->message : std::string_view{};
}

void line_worker::run(std::uint32_t index, const reporter& report) {
  report({step_kind::begun, index, {}});
  const auto& record = what_.records[index];
  padded_ = message_of(record);
  auto length = padded_.size();
  padded_.append(protocol::message_slack_bytes, '\0');
  auto bytes = std::string_view{padded_}.substr(0, length);
  auto message = protocol::parse_event_message(bytes);
  if (!message || !skipped_as(*message).empty()) return;
  report({step_kind::opened, index, std::string{bytes}});
  if (what_.evaluate) evaluate(index, *message);
}

void line_worker::evaluate(std::uint32_t index, const protocol::event_message& message) {
  const auto& record = what_.records[index];
  node_identity identity{what_.manager_name, what_.cluster_name, what_.node_name};
  auto known = openers_.find(record.agent);
  event_agent agent;
  if (known != openers_.end()) {
    const auto& facts = *known->second.facts;
    agent = {to_text(facts.id), facts.name, facts.registered_address, facts.address, {}};
    for (const auto& label : facts.labels)
      agent.labels.push_back({label.key, label.value, label.hidden});
  }
  auto source = make_event_source(known == openers_.end() ? nullptr : &agent, message.queue, message.location,
                                  identity);
  engine::event_in event;
  event.source = source.get();
  event.text = event_text(message);
  event.arrival_ms = record.arrival_ms;
  event.utc_offset_s = local_utc_offset_s(record.arrival_ms);
  event.id = {what_.batch.node, what_.batch.boot, what_.batch.sequence, index};
  faults::on_event(event.text);
  engine::engine_limits limits;
  engine::engine_counters counters;
  engine::wanted_outputs outputs;
  outputs.alerts_json = what_.alerts_json;
  outputs.alerts_text = what_.alerts_text;
  outputs.archives_json = what_.archives_json;
  engine::context with{*rules_, *shard_, node_, first_, global_, limits, counters, outputs};
  out_.clear();
  auto progress = engine::evaluate({&event, 1}, with, memory_, out_);
  if (!progress.complete()) engine::finish(std::move(progress), {}, true, with, memory_, out_);
}

} // namespace picket
