#include "store/registry/registry_environment.hpp"

#include "base/time.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket::store {

namespace {

constexpr std::string_view head_key = "head";
constexpr std::string_view mark_key = "mark";

std::string request_key(const protocol::request_id& id) {
  return key_of(id.node, 4) + key_of(id.boot, 4) + key_of(id.counter, 8);
}

std::string member_key(std::string_view group, agent_id id) {
  return std::string{group} + '\0' + agent_key(id);
}

/// Reads and decodes one row; absent, unreadable and damaged are the same to a decision.
template <class Row>
std::optional<Row> row_of(const read_txn& txn, table from, std::string_view key,
                          result<Row> (*decode)(std::string_view) noexcept) {
  auto bytes = txn.get(from, key);
  if (!bytes || !*bytes) return std::nullopt;
  auto row = decode(**bytes);
  if (!row) return std::nullopt;
  return std::move(*row);
}

std::optional<agent_id> id_of(const read_txn& txn, table from, std::string_view key) {
  auto bytes = txn.get(from, key);
  if (!bytes || !*bytes) return std::nullopt;
  return agent_of(**bytes);
}

std::string encode(const replica_mark& mark) {
  return key_of(mark.applied) + key_of(mark.head_revision) + mark.cluster;
}

std::optional<replica_mark> decode_mark(std::string_view bytes) {
  if (bytes.size() < 16) return std::nullopt;
  return replica_mark{std::string{bytes.substr(16)}, number_of(bytes.substr(0, 8)),
                      number_of(bytes.substr(8, 8))};
}

} // namespace

registry_environment::registry_environment(lmdb_env env, std::filesystem::path directory)
    : env_{std::move(env)}
    , directory_{std::move(directory)} {}

registry_environment::~registry_environment() {
  if (!discard_) return;
  // The files first: whoever opens the directory again makes new ones.
  std::error_code ignored;
  std::filesystem::remove(directory_ / "data.mdb", ignored);
  std::filesystem::remove(directory_ / "lock.mdb", ignored);
  std::filesystem::remove(directory_, ignored); // the first one's directory is not empty and stays
}

result<std::shared_ptr<registry_environment>>
registry_environment::open(const std::filesystem::path& directory, const registry_options& options) {
  lmdb_options lmdb;
  lmdb.limit_bytes = options.limit_bytes;
  lmdb.sync = options.sync;
  auto env = lmdb_env::open(directory, lmdb);
  if (!env) return tl::unexpected<error>(env.error());
  std::shared_ptr<registry_environment> self{new registry_environment{std::move(*env), directory}};
  auto opened = self->open_tables(options);
  if (!opened) return tl::unexpected<error>(opened.error());
  return self;
}

result<void> registry_environment::open_tables(const registry_options& options) {
  struct named {
    const char* name;
    table* into;
  };
  for (auto [name, into] :
       {named{"agents", &agents_}, named{"removed", &removed_}, named{"groups", &groups_},
        named{"log", &log_}, named{"other", &other_}, named{"meta", &meta_}, named{"agent_names", &names_},
        named{"agent_ips", &addresses_}, named{"group_agents", &members_}, named{"requests", &requests_}}) {
    auto opened = env_.open_table(name);
    if (!opened) return tl::unexpected<error>(opened.error());
    *into = *opened;
  }
  return env_.update([&](write_txn& txn) -> result<void> {
    auto head = txn.get(meta_, head_key);
    if (!head) return tl::unexpected<error>(head.error());
    if (*head) {
      auto row = protocol::decode_head_row(**head);
      if (!row) return fail(errc::corrupt, "the registry's head row does not read back", "state/data.mdb");
      return {};
    }
    if (!options.fresh_rows) return {};
    protocol::group_row group;
    group.time_ms = wall_clock_ms();
    auto put = txn.put(groups_, "default", protocol::encode(group));
    if (!put) return put;
    return txn.put(meta_, head_key, protocol::encode(protocol::head_row{}));
  });
}

result<registry_snapshot> registry_environment::read() const {
  auto txn = env_.read();
  if (!txn) return tl::unexpected<error>(txn.error());
  return registry_snapshot{shared_from_this(), std::move(*txn)};
}

std::uint64_t registry_environment::used_bytes() const {
  auto figures = env_.figures();
  return figures ? figures->used_bytes : 0;
}

result<void> registry_environment::unlink_agent(write_txn& txn, agent_id id, const protocol::agent_row& row) {
  // Only what points here: within one batch the name may have gone to another agent already.
  if (id_of(txn, names_, row.name) == id)
    if (auto done = txn.erase(names_, row.name); !done) return tl::unexpected<error>(done.error());
  auto address = protocol::address_key(row.address);
  if (!address.empty() && id_of(txn, addresses_, address) == id)
    if (auto done = txn.erase(addresses_, address); !done) return tl::unexpected<error>(done.error());
  for (const auto& group : row.groups)
    if (auto done = txn.erase(members_, member_key(group, id)); !done)
      return tl::unexpected<error>(done.error());
  return {};
}

result<void> registry_environment::link_agent(write_txn& txn, agent_id id, const protocol::agent_row& row) {
  auto key = agent_key(id);
  if (auto done = txn.put(names_, row.name, key); !done) return done;
  auto address = protocol::address_key(row.address);
  if (!address.empty())
    if (auto done = txn.put(addresses_, address, key); !done) return done;
  for (const auto& group : row.groups)
    if (auto done = txn.put(members_, member_key(group, id), ""); !done) return done;
  return {};
}

result<void> registry_environment::apply_agent(write_txn& txn, const row_write& write) {
  auto id = agent_of(write.key);
  if (auto old = row_of<protocol::agent_row>(txn, agents_, write.key, protocol::decode_agent_row))
    if (auto done = unlink_agent(txn, id, *old); !done) return done;
  if (!write.row) {
    auto done = txn.erase(agents_, write.key);
    return done ? result<void>{} : tl::unexpected<error>(done.error());
  }
  auto row = protocol::decode_agent_row(*write.row);
  if (!row) return tl::unexpected<error>(row.error());
  if (auto done = link_agent(txn, id, *row); !done) return done;
  return txn.put(agents_, write.key, *write.row);
}

result<void> registry_environment::apply_log(write_txn& txn, const row_write& write) {
  // Outcomes of requests live as long as the row that has them.
  if (!write.row) {
    if (auto old = row_of<protocol::log_row>(txn, log_, write.key, protocol::decode_log_row))
      for (const auto& command : old->commands)
        if (auto done = txn.erase(requests_, request_key(command.request)); !done)
          return tl::unexpected<error>(done.error());
    return apply_plain(txn, log_, write);
  }
  auto row = protocol::decode_log_row(*write.row);
  if (!row) return tl::unexpected<error>(row.error());
  for (const auto& command : row->commands)
    if (auto done = txn.put(requests_, request_key(command.request), write.key); !done) return done;
  return apply_plain(txn, log_, write);
}

result<void> registry_environment::apply_plain(write_txn& txn, table to, const row_write& write) {
  if (write.row) return txn.put(to, write.key, *write.row);
  auto erased = txn.erase(to, write.key);
  return erased ? result<void>{} : tl::unexpected<error>(erased.error());
}

result<void> registry_environment::apply_row(write_txn& txn, const row_write& write) {
  switch (write.table) {
  case registry_table::agents:
    return apply_agent(txn, write);
  case registry_table::removed:
    return apply_plain(txn, removed_, write);
  case registry_table::groups:
    return apply_plain(txn, groups_, write);
  case registry_table::log:
    return apply_log(txn, write);
  case registry_table::other:
    return apply_plain(txn, other_, write);
  case registry_table::head:
    if (write.row) {
      auto row = protocol::decode_head_row(*write.row);
      if (!row) return tl::unexpected<error>(row.error());
    }
    return apply_plain(txn, meta_, {write.table, std::string{head_key}, write.row});
  }
  return fail(errc::internal, "a row of no table", directory_.string());
}

result<void> registry_environment::apply(const std::vector<revision_changes>& changes,
                                         const replica_mark& mark) {
  return env_.update([&](write_txn& txn) -> result<void> {
    for (const auto& revision : changes)
      for (const auto& write : revision.rows)
        if (auto done = apply_row(txn, write); !done) return done;
    return txn.put(meta_, mark_key, encode(mark));
  });
}

protocol::head_row registry_snapshot::head() const {
  return row_of<protocol::head_row>(txn_, of_->meta_, head_key, protocol::decode_head_row)
      .value_or(protocol::head_row{});
}

std::optional<protocol::agent_row> registry_snapshot::agent(agent_id id) const {
  return row_of<protocol::agent_row>(txn_, of_->agents_, agent_key(id), protocol::decode_agent_row);
}

std::optional<agent_id> registry_snapshot::agent_by_name(std::string_view name) const {
  return id_of(txn_, of_->names_, name);
}

std::optional<agent_id> registry_snapshot::agent_by_address(std::string_view address) const {
  return id_of(txn_, of_->addresses_, address);
}

std::size_t registry_snapshot::agent_count() const { return txn_.count(of_->agents_).value_or(0); }
std::size_t registry_snapshot::group_count() const { return txn_.count(of_->groups_).value_or(0); }

std::optional<protocol::removed_row> registry_snapshot::removed(agent_id id) const {
  return row_of<protocol::removed_row>(txn_, of_->removed_, agent_key(id), protocol::decode_removed_row);
}

std::optional<protocol::group_row> registry_snapshot::group(std::string_view name) const {
  return row_of<protocol::group_row>(txn_, of_->groups_, name, protocol::decode_group_row);
}

std::vector<agent_id> registry_snapshot::members(std::string_view group, std::size_t limit) const {
  std::vector<agent_id> all;
  auto prefix = std::string{group} + '\0';
  auto walked = txn_.each(of_->members_, prefix, [&](const row_view& row) {
    if (all.size() >= limit) return false;
    all.push_back(agent_of(row.key.substr(prefix.size())));
    return true;
  });
  if (!walked) all.clear();
  return all;
}

std::optional<protocol::command_result> registry_snapshot::outcome(const protocol::request_id& id) const {
  auto sequence = txn_.get(of_->requests_, request_key(id));
  if (!sequence || !*sequence) return std::nullopt;
  auto log = row_of<protocol::log_row>(txn_, of_->log_, **sequence, protocol::decode_log_row);
  if (!log) return std::nullopt;
  for (const auto& command : log->commands)
    if (command.request == id) return command.result;
  return std::nullopt;
}

void registry_snapshot::each_agent(
    agent_id first, const std::function<bool(agent_id, const protocol::agent_row&)>& visit) const {
  auto walk = txn_.walk(of_->agents_);
  if (!walk) return;
  for (auto row = walk->seek(agent_key(first)); row && *row; row = walk->next()) {
    auto agent = protocol::decode_agent_row((*row)->value);
    if (agent && !visit(agent_of((*row)->key), *agent)) return;
  }
}

void registry_snapshot::each_removed(
    const std::function<bool(agent_id, const protocol::removed_row&)>& visit) const {
  auto walk = txn_.walk(of_->removed_);
  if (!walk) return;
  for (auto row = walk->first(); row && *row; row = walk->next()) {
    auto gone = protocol::decode_removed_row((*row)->value);
    if (gone && !visit(agent_of((*row)->key), *gone)) return;
  }
}

std::vector<std::string> registry_snapshot::groups() const {
  std::vector<std::string> all;
  auto walked = txn_.each(of_->groups_, "", [&](const row_view& row) {
    all.emplace_back(row.key);
    return true;
  });
  if (!walked) all.clear();
  return all;
}

std::optional<log_facts> registry_snapshot::logged(std::uint64_t sequence) const {
  auto bytes = txn_.get(of_->log_, key_of(sequence));
  if (!bytes || !*bytes) return std::nullopt;
  auto row = protocol::decode_log_row(**bytes);
  if (!row) return std::nullopt;
  return log_facts{row->time_ms, (*bytes)->size()};
}

replica_mark registry_snapshot::mark() const {
  auto bytes = txn_.get(of_->meta_, mark_key);
  if (bytes && *bytes)
    if (auto mark = decode_mark(**bytes)) return *mark;
  auto sequence = head().sequence;
  return {{}, sequence, sequence};
}

std::string registry_snapshot::head_bytes() const {
  auto bytes = txn_.get(of_->meta_, head_key);
  return bytes && *bytes ? std::string{**bytes} : std::string{};
}

std::vector<row_write> registry_snapshot::all_rows() const {
  std::vector<row_write> all;
  auto take = [&](registry_table as, table from) {
    auto walked = txn_.each(from, "", [&](const row_view& row) {
      all.push_back({as, std::string{row.key}, std::string{row.value}});
      return true;
    });
    if (!walked) all.clear();
  };
  take(registry_table::agents, of_->agents_);
  take(registry_table::removed, of_->removed_);
  take(registry_table::groups, of_->groups_);
  if (auto bytes = head_bytes(); !bytes.empty()) all.push_back({registry_table::head, {}, bytes});
  take(registry_table::log, of_->log_);
  take(registry_table::other, of_->other_);
  return all;
}

std::string registry_snapshot::check_links() const {
  std::string problem;
  std::size_t names = 0;
  std::size_t addresses = 0;
  std::size_t members = 0;
  each_agent(0, [&](agent_id id, const protocol::agent_row& row) {
    ++names;
    members += row.groups.size();
    auto address = protocol::address_key(row.address);
    if (!address.empty()) ++addresses;
    if (agent_by_name(row.name) != id) problem = "name of agent " + to_text(id);
    if (!address.empty() && agent_by_address(address) != id) problem = "address of agent " + to_text(id);
    if (removed(id)) problem = "agent " + to_text(id) + " is also removed";
    for (const auto& group_name : row.groups) {
      if (!txn_.contains(of_->members_, member_key(group_name, id)).value_or(false))
        problem = "agent " + to_text(id) + " in group " + group_name;
      if (!group(group_name)) problem = "agent " + to_text(id) + " is in unknown group " + group_name;
    }
    return problem.empty();
  });
  if (!problem.empty()) return problem;
  if (txn_.count(of_->names_).value_or(0) != names) return "a name without an agent";
  if (txn_.count(of_->addresses_).value_or(0) != addresses) return "an address without an agent";
  if (txn_.count(of_->members_).value_or(0) != members) return "a member without an agent";
  return {};
}

std::string registry_snapshot::check_requests() const {
  std::string problem;
  std::size_t requests = 0;
  auto walked = txn_.each(of_->log_, "", [&](const row_view& row) {
    auto log = protocol::decode_log_row(row.value);
    if (!log) problem = "row " + std::to_string(number_of(row.key)) + " of the log does not read back";
    if (!log) return false;
    for (const auto& command : log->commands) {
      ++requests;
      auto at = txn_.get(of_->requests_, request_key(command.request));
      if (!at || !*at || **at != row.key)
        problem = "a request of row " + std::to_string(number_of(row.key)) + " of the log is not found by it";
    }
    return problem.empty();
  });
  if (!walked) return to_string(walked.error());
  if (!problem.empty()) return problem;
  if (txn_.count(of_->requests_).value_or(0) != requests) return "a request without a row of the log";
  return {};
}

std::string registry_snapshot::check_consistency() const {
  auto problem = check_links();
  return problem.empty() ? check_requests() : problem;
}

} // namespace picket::store
