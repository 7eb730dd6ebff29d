#include "actors/registry/decide.hpp"

#include <algorithm>

#include "actors/registry/decide_agent_add.hpp"
#include "base/error.hpp"
#include "protocol/enrollment/names.hpp"

namespace picket::registry {

using store::registry_table;
using store::row_write;

namespace {

struct decider {
  const store::registry_view& view;
  const decide_context& context;
  decision out;

  void refuse(errc code, std::string text) {
    out.writes.clear();
    out.result = {};
    out.result.code = static_cast<std::uint16_t>(code);
    out.result.text = std::move(text);
  }

  void put_agent(agent_id id, const protocol::agent_row& row) {
    out.writes.push_back({registry_table::agents, store::agent_key(id), protocol::encode(row)});
  }

  void operator()(const protocol::agent_add& add) { decide_agent_add(view, add, context, out); }

  void operator()(const protocol::agent_remove& remove) {
    if (remove.ids.empty() || remove.ids.size() > max_ids_per_command)
      return refuse(errc::invalid_argument, "give 1 to " + std::to_string(max_ids_per_command)
                                                + " agents, not " + std::to_string(remove.ids.size()));
    for (auto id : remove.ids) {
      auto row = view.agent(id);
      if (!row) return refuse(errc::agent_unknown, "no agent " + to_text(id));
      remove_agent(id, *row, remove.why, context, out);
    }
    out.result.agent = remove.ids.front();
  }

  void operator()(const protocol::agent_confirm& confirm) {
    for (auto id : confirm.ids) {
      auto row = view.agent(id);
      if (!row || row->state == protocol::confirmation::confirmed) continue;
      row->state = protocol::confirmation::confirmed;
      put_agent(id, *row);
    }
  }

  void operator()(const protocol::agent_rekey& rekey) {
    auto row = view.agent(rekey.id);
    if (!row) return refuse(errc::agent_unknown, "no agent " + to_text(rekey.id));
    if (!protocol::is_valid_agent_key(rekey.key))
      return refuse(errc::agent_key_invalid, "the key is not acceptable");
    row->key = rekey.key;
    row->registration += 1;
    put_agent(rekey.id, *row);
    out.result.agent = rekey.id;
  }

  void operator()(const protocol::agent_groups& change) {
    auto row = view.agent(change.id);
    if (!row) return refuse(errc::agent_unknown, "no agent " + to_text(change.id));
    for (const auto& name : change.groups)
      if (change.change != protocol::groups_change::remove && !view.group(name))
        return refuse(errc::group_unknown, protocol::unknown_group_text(name));
    auto groups = change.change == protocol::groups_change::set ? std::vector<std::string>{} : row->groups;
    for (const auto& name : change.groups) {
      auto found = std::find(groups.begin(), groups.end(), name);
      if (change.change == protocol::groups_change::remove) {
        if (found != groups.end()) groups.erase(found);
      } else if (found == groups.end()) {
        groups.push_back(name);
      }
    }
    if (groups.size() > protocol::max_groups_per_agent)
      return refuse(errc::limit_reached,
                    "Maximum multigroup reached: Limit is " + std::to_string(protocol::max_groups_per_agent));
    out.result.agent = change.id;
    if (groups == row->groups) return;
    row->groups = std::move(groups);
    put_agent(change.id, *row);
  }

  void operator()(const protocol::group_put& put) {
    if (!protocol::is_valid_group_name(put.name))
      return refuse(errc::group_name_invalid, "Invalid group name: " + put.name);
    if (view.group(put.name)) return refuse(errc::already_exists, "group '" + put.name + "' exists already");
    if (view.group_count() >= max_groups)
      return refuse(errc::too_many_groups, "there are " + std::to_string(max_groups) + " groups already");
    protocol::group_row row;
    row.time_ms = context.time_ms;
    out.writes.push_back({registry_table::groups, put.name, protocol::encode(row)});
  }

  void operator()(const protocol::group_remove& remove) {
    if (remove.name == "default") return refuse(errc::group_protected, "the group 'default' stays");
    if (!view.group(remove.name))
      return refuse(errc::group_unknown, protocol::unknown_group_text(remove.name));
    auto members = view.members(remove.name, max_members_per_group_remove + 1);
    if (members.size() > max_members_per_group_remove)
      return refuse(errc::group_not_empty, "group '" + remove.name + "' has more than "
                                               + std::to_string(max_members_per_group_remove) + " agents");
    for (auto id : members) {
      auto row = view.agent(id);
      if (!row) continue;
      row->groups.erase(std::remove(row->groups.begin(), row->groups.end(), remove.name), row->groups.end());
      put_agent(id, *row);
    }
    out.writes.push_back({registry_table::groups, remove.name, std::nullopt});
  }

  void operator()(const protocol::fence&) {}
};

} // namespace

decision decide(const store::registry_view& view, const protocol::command& command,
                const decide_context& context) {
  decider self{view, context, {}};
  self.out.head = view.head();
  if (self.out.head.schema > known_schema) {
    self.refuse(errc::needs_upgrade, "the registry has schema " + std::to_string(self.out.head.schema)
                                         + ", this node knows " + std::to_string(known_schema));
    return std::move(self.out);
  }
  std::visit(self, command.arguments);
  if (!self.out.result.done()) self.out.head = view.head();
  return std::move(self.out);
}

} // namespace picket::registry
