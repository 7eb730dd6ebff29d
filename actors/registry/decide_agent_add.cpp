#include "actors/registry/decide_agent_add.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "protocol/enrollment/answers.hpp"
#include "protocol/enrollment/keys.hpp"
#include "protocol/enrollment/names.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket::registry {

using protocol::agent_add;
using protocol::agent_row;
using store::registry_table;
using store::row_write;

namespace {

void refuse(decision& out, errc code, std::string text) {
  out.writes.clear();
  out.result = {};
  out.result.code = static_cast<std::uint16_t>(code);
  out.result.text = std::move(text);
}

constexpr agent_id highest_id = 99'999'999;
constexpr agent_id highest_imported_id = 89'999'999;

enum class replace { allowed, refused, stale };

/// Whether the force rules let a request replace an existing agent.
replace may_replace(agent_id id, const agent_row& row, const agent_add& add, std::int64_t now_ms) {
  const auto& force = add.force;
  if (!force.enabled) return replace::refused;
  auto fact = std::find_if(add.evidence.begin(), add.evidence.end(), [&](const auto& e) {
    return e.agent == id && e.registration == row.registration;
  });
  if (fact == add.evidence.end()) return replace::stale;
  if (force.disconnected_time_s >= 0 && fact->state != protocol::agent_state::never_connected) {
    if (fact->since_ms == 0) return replace::refused;
    if (fact->state == protocol::agent_state::disconnected
        && now_ms - fact->since_ms < force.disconnected_time_s * 1000)
      return replace::refused;
  }
  if (force.after_registration_time_s > 0 && now_ms - row.time_ms < force.after_registration_time_s * 1000)
    return replace::refused;
  if (force.key_mismatch && !add.key_hash.empty()
      && add.key_hash == protocol::agent_key_hash(to_text(id), row.name, row.key))
    return replace::refused;
  return replace::allowed;
}

/// A repeat of a request whose answer may not have arrived gets the same id and key.
bool is_repeat(const agent_row& row, const agent_add& add, std::int64_t now_ms) {
  return add.repeat_window_s > 0 && row.state == protocol::confirmation::unconfirmed && !row.source.empty()
         && row.source == add.source && now_ms - row.time_ms < add.repeat_window_s * 1000;
}

/// Decides over one existing agent that stands in the way. False: `out` holds the refusal.
bool clear_the_way(agent_id id, const agent_row& row, const agent_add& add, const decide_context& context,
                   errc code, const std::string& text, decision& out) {
  switch (may_replace(id, row, add, context.time_ms)) {
  case replace::allowed:
    break;
  case replace::refused:
    refuse(out, code, text);
    return false;
  case replace::stale:
    refuse(out, errc::stale_evidence, "the state of agent " + to_text(id) + " is not known");
    return false;
  }
  auto& replaced = out.result.replaced;
  if (std::find(replaced.begin(), replaced.end(), id) == replaced.end()) {
    replaced.push_back(id);
    remove_agent(id, row, "replaced by a new enrollment", context, out);
  }
  return true;
}

bool groups_exist(const store::registry_view& view, const agent_add& add, decision& out) {
  if (add.groups.size() > protocol::max_groups_per_agent) {
    refuse(out, errc::limit_reached,
           "Maximum multigroup reached: Limit is " + std::to_string(protocol::max_groups_per_agent));
    return false;
  }
  for (const auto& name : add.groups) {
    if (!protocol::is_valid_group_name(name)) {
      refuse(out, errc::group_name_invalid, "Invalid group name: " + name);
      return false;
    }
    if (!view.group(name)) {
      refuse(out, errc::group_unknown, protocol::unknown_group_text(name));
      return false;
    }
  }
  return true;
}

bool choose_id(const store::registry_view& view, const agent_add& add, decision& out, agent_id& id) {
  id = add.id != 0 ? add.id : out.head.next_agent_id;
  if (add.id != 0 && (view.agent(id) || view.removed(id))) {
    refuse(out, errc::agent_id_taken, "id " + to_text(id) + " was given before");
    return false;
  }
  // Imports stop short of the end, or the next enrollment would have no id.
  if (id > (add.id != 0 ? highest_imported_id : highest_id)) {
    refuse(out, errc::limit_reached, "id " + to_text(id) + " is too high; agents take at most eight digits");
    return false;
  }
  out.head.next_agent_id = std::max(out.head.next_agent_id, id + 1);
  return true;
}

} // namespace

void remove_agent(agent_id id, const agent_row& row, const std::string& why, const decide_context& context,
                  decision& out) {
  protocol::removed_row gone;
  gone.name = row.name;
  gone.time_ms = context.time_ms;
  gone.by = context.node;
  gone.why = why;
  out.writes.push_back({registry_table::agents, store::agent_key(id), std::nullopt});
  out.writes.push_back({registry_table::removed, store::agent_key(id), protocol::encode(gone)});
}

void decide_agent_add(const store::registry_view& view, const agent_add& add, const decide_context& context,
                      decision& out) {
  if (!protocol::is_valid_agent_name(add.name))
    return refuse(out, errc::agent_name_invalid, protocol::refusal::invalid_name(add.name));
  if (!protocol::is_valid_agent_key(add.key))
    return refuse(out, errc::agent_key_invalid, "the key is not acceptable");
  auto same_name = view.agent_by_name(add.name);
  if (same_name) {
    auto row = view.agent(*same_name);
    if (row && is_repeat(*row, add, context.time_ms)) {
      out.result.agent = *same_name;
      return;
    }
  }
  if (!groups_exist(view, add, out)) return;
  auto address = protocol::address_key(add.address);
  if (add.address != "any" && address.empty())
    return refuse(out, errc::address_invalid, protocol::refusal::invalid_address(add.address));
  if (!address.empty()) {
    auto same_address = view.agent_by_address(address);
    auto row = same_address ? view.agent(*same_address) : std::nullopt;
    if (row
        && !clear_the_way(*same_address, *row, add, context, errc::agent_address_taken,
                          protocol::refusal::duplicate_address(add.address), out))
      return;
  }
  const auto& own = context.server_names;
  if (std::find(own.begin(), own.end(), add.name) != own.end())
    return refuse(out, errc::agent_name_invalid, protocol::refusal::invalid_name(add.name));
  if (same_name) {
    auto row = view.agent(*same_name);
    if (row
        && !clear_the_way(*same_name, *row, add, context, errc::agent_name_taken,
                          protocol::refusal::duplicate_name(add.name), out))
      return;
  }
  if (view.agent_count() >= context.max_agents + out.result.replaced.size())
    return refuse(out, errc::too_many_agents,
                  "there are " + std::to_string(context.max_agents) + " agents already");
  agent_id id = 0;
  if (!choose_id(view, add, out, id)) return;
  agent_row row;
  row.name = add.name;
  row.key = add.key;
  row.address = add.address;
  row.source = add.source;
  row.time_ms = context.time_ms;
  row.by = context.node;
  row.registration = out.head.sequence + 1;
  row.state = add.state;
  row.groups = add.groups;
  row.agent_version = add.agent_version;
  out.writes.push_back({registry_table::agents, store::agent_key(id), protocol::encode(row)});
  out.result.agent = id;
}

} // namespace picket::registry
