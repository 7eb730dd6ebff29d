#include "actors/decoder/record_reader.hpp"

#include "base/time.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"

namespace picket {

record_reader::record_reader(reader_setup setup)
    : setup_{std::move(setup)} {}

std::vector<session_messages> record_reader::read(work& what) {
  tallies_.clear();
  what.texts.clear();
  what.sources.clear();
  what.events.clear();
  what.events.reserve(what.records.size());
  for (std::uint32_t i = 0; i < what.records.size(); ++i) {
    const auto& record = what.records[i];
    if (record.kind == record_kind::left_out)
      tally_of(record.connection); // its connection may have ended with it
    else if (record.kind == record_kind::sealed || record.kind == record_kind::over_limit)
      read_sealed(what, i);
    else
      add_plain(what, i);
  }
  setup_.counts->ingest_events_total.add(static_cast<double>(what.events.size()));
  return messages();
}

void record_reader::add_plain(work& what, std::uint32_t index) {
  const auto& record = what.records[index];
  auto* cache = record.agent == 0 ? nullptr : &cache_of(record.agent);
  if (cache == nullptr || cache->known)
    add_event(what, index, what.texts.keep(record.bytes), cache);
  else
    setup_.counts->ingest_bad_records_total.add_for("unknown_agent"); // removed meanwhile
}

std::vector<session_messages> record_reader::messages() {
  std::vector<session_messages> found;
  for (auto& [token, tally] : tallies_)
    if (tally.entry && tally.messages) found.push_back({tally.entry->session, std::move(tally.messages)});
  return found;
}

std::vector<agent_session_actor> record_reader::settle(work& what) {
  std::vector<agent_session_actor> ended;
  auto now_ms = steady_clock_ms();
  for (auto& [token, tally] : tallies_) {
    if (!tally.entry) continue;
    auto& link = *tally.entry->link;
    // A batch that runs again may have been counted.
    if (!what.opened) {
      link.waiting_records.fetch_sub(tally.opened);
      link.traffic.add_events(tally.events);
      link.traffic.add_dropped(tally.dropped);
    }
    link.waiting_since_ms = now_ms;
    {
      std::lock_guard lock{link.anchor()->mutex};
      link.anchor()->guard.on_record(tally.highest);
    }
    if (tally.broken) link.close(net::close_reason::by_us);
    link.opened_up_to(what.id.sequence);
    if (link.take_end()) {
      setup_.sessions->unbind(link);
      ended.push_back(tally.entry->session);
    }
  }
  tallies_.clear();
  what.opened = true;
  return ended;
}

record_reader::connection_tally& record_reader::tally_of(net::connection_token token) {
  auto [at, fresh] = tallies_.try_emplace(token);
  if (fresh && token != 0) at->second.entry = setup_.sessions->by_token(token);
  return at->second;
}

record_reader::agent_cache& record_reader::cache_of(agent_id id) {
  if (agents_.size() >= agents_cached && agents_.find(id) == agents_.end()) agents_.clear();
  auto& cache = agents_[id];
  if (cache.registry_generation != setup_.tables->generation()
      || cache.status_generation != setup_.statuses->identity_generation())
    refresh(cache, id);
  return cache;
}

void record_reader::refresh(agent_cache& cache, agent_id id) {
  cache.registry_generation = setup_.tables->generation();
  cache.status_generation = setup_.statuses->identity_generation();
  cache.sources.clear();
  auto view = setup_.tables->read();
  auto row = view ? view->agent(id) : std::nullopt;
  cache.known = row.has_value();
  if (!row) {
    cache.opener.reset();
    return;
  }
  bool same_key = cache.opener && row->key == cache.row.key && row->name == cache.row.name;
  cache.row = std::move(*row);
  cache.id_text = to_text(id);
  if (!same_key)
    cache.opener = std::make_unique<protocol::record_opener>(
        protocol::derive_record_key(cache.id_text, cache.row.name, cache.row.key));
}

void record_reader::reject(connection_tally& tally, agent_id agent, std::string_view reason) {
  tally.broken = true;
  ++tally.dropped;
  setup_.counts->ingest_bad_records_total.add_for(reason);
  setup_.log->write(log_event::record_refused, {{"reason", reason}, {"agent", to_text(agent)}});
}

void record_reader::read_sealed(work& what, std::uint32_t index) {
  const auto& record = what.records[index];
  auto& tally = tally_of(record.connection);
  ++tally.opened;
  // Behind a bad record nothing of the connection is believed any more.
  if (tally.broken) {
    ++tally.dropped;
    return setup_.counts->ingest_bad_records_total.add_for("behind_bad");
  }
  auto& cache = cache_of(record.agent);
  if (!cache.known) return reject(tally, record.agent, "unknown_agent");
  auto head = protocol::parse_record_head(as_bytes(record.bytes));
  if (!head) return reject(tally, record.agent, protocol::name_of(head.error()));
  auto opened = cache.opener->open(head->cipher, head->ciphertext, scratch_);
  if (!opened) return reject(tally, record.agent, protocol::name_of(opened.error()));
  if (setup_.check_counters && what.attempt == 1
      && !setup_.sessions->anchor(record.agent)->is_fresh(cache.row.registration, opened->counters))
    return reject(tally, record.agent, "repeated");
  tally.highest = std::max(tally.highest, opened->counters);
  if (!protocol::is_control(opened->message)) {
    if (record.kind == record_kind::over_limit) {
      ++tally.dropped;
      return setup_.counts->ingest_limited_events_total.add_for("drop");
    }
    auto kind = add_event(what, index, what.texts.keep(opened->message), &cache);
    if (kind == message_kind::event) ++tally.events;
    if (kind == message_kind::malformed) ++tally.dropped;
    return;
  }
  if (!tally.messages) tally.messages = std::make_shared<control_batch>();
  tally.messages->messages.push_back({std::string{opened->message}, record.arrival_ms});
}

record_reader::message_kind record_reader::add_event(work& what, std::uint32_t index,
                                                     std::string_view message, agent_cache* cache) {
  auto parsed = protocol::parse_event_message(message);
  if (!parsed) {
    setup_.counts->ingest_malformed_events_total.add();
    return message_kind::malformed;
  }
  if (auto kind = skipped_as(*parsed); !kind.empty()) {
    setup_.counts->ingest_skipped_messages_total.add_for(kind);
    return message_kind::skipped;
  }
  const auto& record = what.records[index];
  auto text = event_text(*parsed);
  // An operator who sends a letter on once more means it.
  if (setup_.letters && record.kind != record_kind::again && setup_.letters->seen(text)) {
    setup_.counts->deadletter_lines_total.add_for("again");
    return message_kind::skipped;
  }
  auto source = source_of(cache, parsed->queue, parsed->location);
  engine::event_in event;
  event.source = source.get();
  event.text = text;
  event.arrival_ms = record.arrival_ms;
  event.utc_offset_s = offset_at(record.arrival_ms);
  event.id = {what.id.node, what.id.boot, what.id.sequence, index};
  what.sources.push_back(std::move(source));
  what.events.push_back(event);
  return message_kind::event;
}

std::shared_ptr<const engine::source> record_reader::source_of(agent_cache* cache, char queue,
                                                               std::string_view location) {
  std::string key(1, queue);
  key.append(location);
  if (cache != nullptr)
    if (auto found = cache->sources.find(key); found != cache->sources.end()) return found->second;
  if (cache == nullptr) return make_event_source(nullptr, queue, location, setup_.identity);
  event_agent agent{cache->id_text, cache->row.name, cache->row.address, {}, {}};
  if (auto status = setup_.statuses->get(agent_id(std::stoul(cache->id_text)))) {
    agent.address = status->last_keepalive.agent_ip;
    for (const auto& label : status->last_keepalive.labels)
      if (!label.system) agent.labels.push_back({label.key, label.value, label.hidden});
  }
  auto fresh = make_event_source(&agent, queue, location, setup_.identity);
  if (cache->sources.size() >= sources_cached) cache->sources.clear();
  cache->sources.emplace(std::move(key), fresh);
  return fresh;
}

std::int32_t record_reader::offset_at(std::int64_t arrival_ms) {
  if (offset_second_ != arrival_ms / 1000) {
    offset_second_ = arrival_ms / 1000;
    offset_s_ = local_utc_offset_s(arrival_ms);
  }
  return offset_s_;
}

} // namespace picket
