#include "actors/membership/membership.hpp"

#include <caf/send.hpp>

#include "actors/watch/thread_name.hpp"
#include "base/time.hpp"

namespace picket {

namespace {

constexpr std::size_t rows_a_transaction = 5'000;
constexpr std::size_t confirmations_at_once = 100;
constexpr std::int64_t confirm_limit_ms = 4'000;

} // namespace

void membership_state::load() {
  view.number = 1;
  view.members = {setup.self};
  auto now_ms = setup.wall_ms();
  auto loaded = setup.local->each_status([&](agent_id id, std::string_view bytes) {
    auto status = decode_status(bytes);
    if (!status) return;
    status->connection.on_node_start(now_ms);
    setup.statuses->load(id, std::move(*status));
  });
  if (!loaded) setup.log->write(log_event::status_not_stored, loaded.error());
}

void membership_state::tick() {
  if (!proven.empty() && !confirming) confirm();
  if (++ticks % ticks_a_sweep == 0) sweep();
  if (ticks % ticks_a_tidy == 0) forget_unregistered();
  store();
}

void membership_state::sweep() {
  auto now_ms = setup.wall_ms();
  std::vector<agent_id> silent;
  std::size_t by_state[4] = {};
  std::size_t known = 0;
  setup.statuses->sweep([&](agent_id id, agent_status& status) {
    auto before = status.connection;
    // The notice is handed in below, outside of the table's lock; if there is no room it is due again.
    auto contact_ms = setup.contact_ms ? setup.contact_ms(id) : 0;
    if (status.connection.sweep(now_ms, setup.limits, contact_ms)) silent.push_back(id);
    ++by_state[static_cast<std::size_t>(status.connection.state)];
    ++known;
    return !(before == status.connection);
  });
  auto tables = setup.tables->read();
  for (auto id : silent) {
    auto row = tables ? tables->agent(id) : std::nullopt;
    if (!row) continue;
    auto event =
        protocol::format_notice(protocol::agent_notice::disconnected, to_text(id), row->name, row->address);
    auto arrow = event.location.find("->");
    auto location = arrow == std::string::npos ? event.location : event.location.substr(arrow + 2);
    setup.log->write(log_event::agent_disconnected, {{"agent", to_text(id)}, {"name", row->name}});
    if (!setup.notices->take(id, location, event.text))
      setup.statuses->update(id, [](agent_status& status) {
        // Unless it came back meanwhile.
        status.connection.notice_due = status.connection.state == protocol::agent_state::disconnected;
      });
  }
  auto registered = tables ? tables->agent_count() : known;
  if (registered > known) by_state[0] += registered - known; // never seen, so without an entry
  for (std::size_t i = 0; i < 4; ++i)
    setup.counts->agents.set_for(protocol::name_of(static_cast<protocol::agent_state>(i)),
                                 static_cast<double>(by_state[i]));
}

void membership_state::forget_unregistered() {
  auto registered = setup.tables->read();
  if (!registered) return;
  std::vector<agent_id> gone;
  setup.statuses->sweep([&](agent_id id, agent_status&) {
    if (!registered->agent(id)) gone.push_back(id);
    return false;
  });
  for (auto id : gone)
    setup.statuses->erase(id);
}

void membership_state::confirm() {
  protocol::agent_confirm confirmation;
  for (auto id : proven) {
    if (confirmation.ids.size() == confirmations_at_once) break;
    confirmation.ids.push_back(id);
  }
  auto proposal = std::make_shared<registry::proposal>();
  proposal->command.request = setup.next_request();
  proposal->command.actor = "node";
  proposal->command.from = "local";
  proposal->command.made_ms = wall_clock_ms();
  proposal->command.arguments = confirmation;
  proposal->deadline_ms = steady_clock_ms() + confirm_limit_ms;
  confirming = true;
  self->request(setup.registry, std::chrono::milliseconds{confirm_limit_ms}, propose_atom_v,
                registry::proposal_ptr{proposal})
      .then(
          [this, ids = confirmation.ids](const registry::propose_answer& answer) {
            confirming = false;
            if (answer.how != registry::proposed::ok && answer.how != registry::proposed::refused) return;
            for (auto id : ids)
              proven.erase(id);
          },
          [this](const caf::error&) { confirming = false; });
}

bool membership_state::store() {
  if (setup.store_more) {
    auto stored = setup.store_more();
    if (!stored) setup.log->write(log_event::status_not_stored, stored.error());
  }
  while (true) {
    auto rows = setup.statuses->take_dirty(rows_a_transaction);
    if (rows.empty()) return true;
    auto stored = setup.local->put_status(rows);
    if (stored) continue;
    setup.log->write(log_event::status_not_stored, stored.error());
    std::vector<agent_id> again;
    for (const auto& row : rows)
      again.push_back(row.first);
    setup.statuses->mark_dirty(again);
    return false;
  }
}

void membership_state::on_changes(const registry::registry_changes& changes) {
  for (const auto& row : changes.rows) {
    if (row.table != store::registry_table::agents) continue;
    auto id = store::agent_of(row.key);
    if (row.row) continue;
    setup.statuses->erase(id);
    proven.erase(id);
  }
}

membership_actor::behavior_type membership(membership_actor::stateful_pointer<membership_state> self,
                                           membership_setup setup) {
  name_thread("membership");
  self->state.self = self;
  self->state.setup = std::move(setup);
  self->state.load();
  self->send(self->state.setup.registry, subscribe_atom_v, caf::actor_cast<registry_subscriber_actor>(self));
  self->delayed_send(self, std::chrono::milliseconds{membership_tick_ms}, tick_atom_v);
  return {
      [self](proven_atom, std::uint32_t agent) { self->state.proven.insert(agent); },
      [self](changed_atom, const registry::changes_ptr& changes) { self->state.on_changes(*changes); },
      [self](view_atom) { return self->state.view; },
      [self](flush_atom) { return self->state.store(); },
      [self](tick_atom) {
        self->state.tick();
        self->delayed_send(self, std::chrono::milliseconds{membership_tick_ms}, tick_atom_v);
      },
  };
}

} // namespace picket
