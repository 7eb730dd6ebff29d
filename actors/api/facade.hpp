#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "actors/agent_session/agent_traffic.hpp"
#include "actors/examiner/letter_office.hpp"
#include "actors/health/readiness.hpp"
#include "actors/membership/agent_status.hpp"
#include "actors/registry/interface.hpp"
#include "protocol/registry/commands.hpp"
#include "store/registry/registry_tables.hpp"

namespace picket::api {

/// Something that was refused or dropped over the last minute, by the reason that the metric names.
struct refusal_figure {
  std::string what;
  std::string reason; ///< empty: there is only one
  std::uint64_t count = 0;
};

/// Figures of one subject; names end in their unit.
struct figure_section {
  std::string name;
  std::vector<std::pair<std::string, double>> values;
};

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
  std::vector<finding> findings;        ///< what is not as it should be; the gravest first
  std::vector<figure_section> sections; ///< ingest, waiting, analysis, journal, agents
  std::vector<disk_facts> disks;
  std::vector<refusal_figure> refusals; ///< of the last `minute_ms`
  std::int64_t minute_ms = 0; ///< what rates and refusals are taken over; less than 60,000 after a start
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
  /// Connection and figures of an agent since the node was started.
  virtual agent_contact contact(agent_id id) const = 0;
  virtual std::string draw_key() const = 0;
  virtual std::string name() const = 0;
  /// Asks the parts of the node; not for every request.
  virtual node_figures figures() const = 0;
  /// From now on the node takes no new agents, or takes them again; those that are connected stay. Forgotten
  /// by a restart. What it was before.
  virtual bool drain(bool on, const std::string& actor, const std::string& from) = 0;
  virtual bool draining() const = 0;
  /// Dead letters. Its calls wait for the disk.
  virtual letter_office& letters() = 0;
};

/// An answer that is not `ok` as an error for the asker.
error error_of(const registry::propose_answer& answer);

} // namespace picket::api
