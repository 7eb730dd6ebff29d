#include "store/registry/view.hpp"

#include <algorithm>

#include "protocol/registry/address_key.hpp"

namespace picket::store {

overlay_view::overlay_view(const registry_view& below)
    : below_{below}
    , head_{below.head()} {}

void overlay_view::apply(const std::vector<row_write>& writes, const protocol::head_row& head) {
  head_ = head;
  for (const auto& write : writes) {
    switch (write.table) {
    case registry_table::agents: {
      auto& slot = agents_[agent_of(write.key)];
      slot.reset();
      if (write.row) {
        auto row = protocol::decode_agent_row(*write.row);
        if (row) slot = std::move(*row);
      }
      break;
    }
    case registry_table::removed:
      if (write.row) {
        auto row = protocol::decode_removed_row(*write.row);
        if (row) removed_[agent_of(write.key)] = std::move(*row);
      }
      break;
    case registry_table::groups: {
      auto& slot = groups_[write.key];
      slot.reset();
      if (write.row) {
        auto row = protocol::decode_group_row(*write.row);
        if (row) slot = std::move(*row);
      }
      break;
    }
    case registry_table::head:
    case registry_table::log:
    case registry_table::other:
      break; // no decision writes them
    }
  }
}

void overlay_view::remember(const protocol::request_id& id, const protocol::command_result& result) {
  outcomes_.emplace_back(id, result);
}

std::optional<protocol::agent_row> overlay_view::agent(agent_id id) const {
  auto found = agents_.find(id);
  return found != agents_.end() ? found->second : below_.agent(id);
}

template <class Matches>
std::optional<agent_id> overlay_view::find_agent(std::optional<agent_id> below, Matches matches) const {
  for (const auto& [id, row] : agents_)
    if (row && matches(*row)) return id;
  if (below && agents_.find(*below) == agents_.end()) return below;
  return std::nullopt;
}

std::optional<agent_id> overlay_view::agent_by_name(std::string_view name) const {
  return find_agent(below_.agent_by_name(name), [&](const auto& row) { return row.name == name; });
}

std::optional<agent_id> overlay_view::agent_by_address(std::string_view address) const {
  return find_agent(below_.agent_by_address(address),
                    [&](const auto& row) { return protocol::address_key(row.address) == address; });
}

std::size_t overlay_view::agent_count() const {
  auto count = below_.agent_count();
  for (const auto& [id, row] : agents_) {
    bool was = below_.agent(id).has_value();
    if (row && !was) ++count;
    if (!row && was) --count;
  }
  return count;
}

std::optional<protocol::removed_row> overlay_view::removed(agent_id id) const {
  auto found = removed_.find(id);
  return found != removed_.end() ? std::optional{found->second} : below_.removed(id);
}

std::optional<protocol::group_row> overlay_view::group(std::string_view name) const {
  auto found = groups_.find(name);
  return found != groups_.end() ? found->second : below_.group(name);
}

std::size_t overlay_view::group_count() const {
  auto count = below_.group_count();
  for (const auto& [name, row] : groups_) {
    bool was = below_.group(name).has_value();
    if (row && !was) ++count;
    if (!row && was) --count;
  }
  return count;
}

std::vector<agent_id> overlay_view::members(std::string_view group, std::size_t limit) const {
  std::vector<agent_id> all;
  for (auto id : below_.members(group, limit + agents_.size()))
    if (agents_.find(id) == agents_.end()) all.push_back(id);
  for (const auto& [id, row] : agents_)
    if (row && std::find(row->groups.begin(), row->groups.end(), group) != row->groups.end())
      all.push_back(id);
  std::sort(all.begin(), all.end());
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::optional<protocol::command_result> overlay_view::outcome(const protocol::request_id& id) const {
  for (const auto& [known, result] : outcomes_)
    if (known == id) return result;
  return below_.outcome(id);
}

} // namespace picket::store
