#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "node/picketctl/http_client.hpp"

namespace picket::ctl {

/// What a listing of agents is asked for; empty: no such condition.
struct agent_filter {
  std::string match; ///< regular expression on the name
  std::string status;
  std::string group;
};

/// Agents that one answer of the node brings.
inline constexpr std::size_t agents_per_page = 1'000;
/// Ids that one request names, so that its line stays well below the server's limit.
inline constexpr std::size_t ids_per_request = 300;

api_request list_agents(const agent_filter& filter, std::size_t offset);
api_request show_agent(const std::string& id);
api_request add_agent(const std::string& name, const std::string& address,
                      const std::vector<std::string>& groups);
api_request remove_agents(const std::vector<std::string>& ids);
api_request agent_key(const std::string& id);
/// `change`: "set", "add" or "remove".
api_request change_groups(const std::string& id, const std::string& change,
                          const std::vector<std::string>& groups);
api_request import_keys(std::string file, bool skip_faults);
api_request export_keys();

api_request list_groups(std::size_t offset);
api_request add_group(const std::string& name);
api_request remove_groups(const std::vector<std::string>& names);

api_request node_status();
/// `on`: take no new agents; else take them again.
api_request drain_node(bool on);

api_request list_letters(std::size_t offset);
api_request show_letter(const std::string& id);
/// `ids`: those, or {"all"}.
api_request retry_letters(const std::vector<std::string>& ids);
api_request drop_letters(const std::vector<std::string>& ids);

/// Of a node that was built for tests. `value` "off" switches it off.
api_request list_faults();
api_request set_fault(const std::string& name, const std::string& value);

/// "1" and "001" are the same agent: ids as the API writes them. Other texts stay.
std::string normal_id(const std::string& text);

} // namespace picket::ctl
