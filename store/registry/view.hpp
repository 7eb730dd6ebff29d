#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.hpp"
#include "protocol/registry/commands.hpp"
#include "protocol/registry/rows.hpp"
#include "store/lmdb/lmdb_env.hpp"

namespace picket::store {

/// The tables of the registry. A decision writes agents, removed and groups; every batch writes its own row
/// of the log and the head. What is derived from them (names, addresses, members of groups) is kept by
/// whoever applies the writes and never written by a decision.
enum class registry_table : std::uint8_t {
  agents = 0,
  removed = 1,
  groups = 2,
  head = 3,
  log = 4,
  other = 5 ///< of a newer version: kept as it is
};

/// One row written or, without `row`, taken away. Keys: agents and removed by id, groups by name, the log by
/// sequence, the head's is empty, others as the shared store spells them.
struct row_write {
  registry_table table = registry_table::agents;
  std::string key;
  std::optional<std::string> row;

  friend bool operator==(const row_write&, const row_write&) = default;
};

/// The id of a key of `agents` or `removed`; the other way is `agent_key`.
inline agent_id agent_of(std::string_view key) { return static_cast<agent_id>(number_of(key)); }

/// A row of the log, as far as its trimming needs it.
struct log_facts {
  std::int64_t time_ms = 0;
  std::uint64_t bytes = 0; ///< as stored
};

/// The registry at one revision, as decisions and readers see it. Reads only; a row that does not decode is
/// treated as absent and counted by the implementation.
class registry_view {
public:
  virtual ~registry_view() = default;

  virtual protocol::head_row head() const = 0;
  virtual std::optional<protocol::agent_row> agent(agent_id id) const = 0;
  virtual std::optional<agent_id> agent_by_name(std::string_view name) const = 0;
  /// `address`: as by `protocol::address_key`.
  virtual std::optional<agent_id> agent_by_address(std::string_view address) const = 0;
  virtual std::size_t agent_count() const = 0;
  virtual std::optional<protocol::removed_row> removed(agent_id id) const = 0;
  virtual std::optional<protocol::group_row> group(std::string_view name) const = 0;
  virtual std::size_t group_count() const = 0;
  /// Up to `limit` members in the order of their ids.
  virtual std::vector<agent_id> members(std::string_view group, std::size_t limit) const = 0;
  /// What a command with this id came to.
  virtual std::optional<protocol::command_result> outcome(const protocol::request_id& id) const = 0;
  /// The log's row of the batch with this sequence.
  virtual std::optional<log_facts> logged(std::uint64_t sequence) const = 0;
};

/// A view plus writes that were decided on it and are not committed yet. Later commands of one batch see the
/// earlier ones through it.
class overlay_view final : public registry_view {
public:
  explicit overlay_view(const registry_view& below);

  void apply(const std::vector<row_write>& writes, const protocol::head_row& head);
  void remember(const protocol::request_id& id, const protocol::command_result& result);

  protocol::head_row head() const override { return head_; }
  std::optional<protocol::agent_row> agent(agent_id id) const override;
  std::optional<agent_id> agent_by_name(std::string_view name) const override;
  std::optional<agent_id> agent_by_address(std::string_view address) const override;
  std::size_t agent_count() const override;
  std::optional<protocol::removed_row> removed(agent_id id) const override;
  std::optional<protocol::group_row> group(std::string_view name) const override;
  std::size_t group_count() const override;
  std::vector<agent_id> members(std::string_view group, std::size_t limit) const override;
  std::optional<protocol::command_result> outcome(const protocol::request_id& id) const override;
  std::optional<log_facts> logged(std::uint64_t sequence) const override { return below_.logged(sequence); }

private:
  template <class Matches>
  std::optional<agent_id> find_agent(std::optional<agent_id> below, Matches matches) const;

  const registry_view& below_;
  protocol::head_row head_;
  std::map<agent_id, std::optional<protocol::agent_row>> agents_;
  std::map<agent_id, protocol::removed_row> removed_;
  std::map<std::string, std::optional<protocol::group_row>, std::less<>> groups_;
  std::vector<std::pair<protocol::request_id, protocol::command_result>> outcomes_;
};

/// A view of nothing: the registry before its first change.
class empty_view final : public registry_view {
public:
  protocol::head_row head() const override { return {}; }
  std::optional<protocol::agent_row> agent(agent_id) const override { return {}; }
  std::optional<agent_id> agent_by_name(std::string_view) const override { return {}; }
  std::optional<agent_id> agent_by_address(std::string_view) const override { return {}; }
  std::size_t agent_count() const override { return 0; }
  std::optional<protocol::removed_row> removed(agent_id) const override { return {}; }
  std::optional<protocol::group_row> group(std::string_view) const override { return {}; }
  std::size_t group_count() const override { return 0; }
  std::vector<agent_id> members(std::string_view, std::size_t) const override { return {}; }
  std::optional<protocol::command_result> outcome(const protocol::request_id&) const override { return {}; }
  std::optional<log_facts> logged(std::uint64_t) const override { return {}; }
};

} // namespace picket::store
