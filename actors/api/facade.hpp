#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actors/examiner/letter_office.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/registry/interface.hpp"
#include "protocol/registry/commands.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::api {

/// What `picketctl node status` shows. A value is a number or a text; the names are stable.
struct node_figures {
  std::string node;
  std::string version;
  std::string cluster;
  std::int64_t started_ms = 0;
  bool ready_ingest = false;
  bool ready_control = false;
  std::string not_ready_because;
  std::vector<std::pair<std::string, std::string>> facts;    ///< addresses, rule set, directories
  std::vector<std::pair<std::string, std::uint64_t>> counts; ///< agents, connections, batches …
};

/// What the API's handlers may ask of the node. Every call has a time limit and answers on the calling
/// thread.
class node_facade {
public:
  virtual ~node_facade() = default;

  /// Who asked and from where go into the audit.
  virtual registry::propose_answer propose(protocol::command_arguments arguments, const std::string& actor,
                                           const std::string& from) = 0;
  /// Many at once, so that they share commits; one answer for each, in order.
  virtual std::vector<registry::propose_answer>
  propose_many(std::vector<protocol::command_arguments> commands, const std::string& actor,
               const std::string& from) = 0;
  virtual const store::registry_tables& tables() const = 0;
  virtual const agent_status_table& statuses() const = 0;
  /// Facts about these agents for a decision on replacing them.
  virtual protocol::agent_evidence evidence(agent_id id, std::uint64_t registration) const = 0;
  virtual std::string draw_key() const = 0;
  virtual node_figures figures() const = 0;
  /// Dead letters. Its calls wait for the disk.
  virtual letter_office& letters() = 0;
};

/// An answer that is not `ok` as an error for the asker.
error error_of(const registry::propose_answer& answer);

} // namespace picket::api
