#include "store/registry/registry_tables.hpp"

#include <set>

#include "base/time.hpp"
#include "protocol/registry/address_key.hpp"

namespace picket::store {

namespace {

constexpr std::string_view head_key = "head";

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

} // namespace

registry_tables::registry_tables(lmdb_env env)
    : env_{std::move(env)} {}
registry_tables::~registry_tables() = default;

result<std::unique_ptr<registry_tables>> registry_tables::open(const std::filesystem::path& directory,
                                                               std::uint64_t limit_bytes) {
  lmdb_options options;
  options.limit_bytes = limit_bytes;
  auto env = lmdb_env::open(directory, options);
  if (!env) return tl::unexpected<error>(env.error());
  std::unique_ptr<registry_tables> self{new registry_tables{std::move(*env)}};
  auto opened = self->open_tables();
  if (!opened) return tl::unexpected<error>(opened.error());
  return self;
}

result<void> registry_tables::open_tables() {
  struct named {
    const char* name;
    table* into;
  };
  for (auto [name, into] :
       {named{"agents", &agents_}, named{"removed", &removed_}, named{"groups", &groups_},
        named{"log", &log_}, named{"meta", &meta_}, named{"agent_names", &names_},
        named{"agent_ips", &addresses_}, named{"group_agents", &members_}, named{"requests", &requests_}}) {
    auto opened = env_.open_table(name);
    if (!opened) return tl::unexpected<error>(opened.error());
    *into = *opened;
  }
  return env_.update([this](write_txn& txn) -> result<void> {
    auto head = txn.get(meta_, head_key);
    if (!head) return tl::unexpected<error>(head.error());
    if (*head) {
      auto row = protocol::decode_head_row(**head);
      if (!row) return fail(errc::corrupt, "the registry's head row does not read back", "state/data.mdb");
      return {};
    }
    protocol::group_row group;
    group.time_ms = wall_clock_ms();
    auto put = txn.put(groups_, "default", protocol::encode(group));
    if (!put) return put;
    return txn.put(meta_, head_key, protocol::encode(protocol::head_row{}));
  });
}

result<registry_tables::snapshot> registry_tables::read() const {
  auto txn = env_.read();
  if (!txn) return tl::unexpected<error>(txn.error());
  return snapshot{*this, std::move(*txn)};
}

protocol::head_row registry_tables::snapshot::head() const {
  return row_of<protocol::head_row>(txn_, tables_.meta_, head_key, protocol::decode_head_row)
      .value_or(protocol::head_row{});
}

std::optional<protocol::agent_row> registry_tables::snapshot::agent(agent_id id) const {
  return row_of<protocol::agent_row>(txn_, tables_.agents_, agent_key(id), protocol::decode_agent_row);
}

std::optional<agent_id> registry_tables::snapshot::agent_by_name(std::string_view name) const {
  return id_of(txn_, tables_.names_, name);
}

std::optional<agent_id> registry_tables::snapshot::agent_by_address(std::string_view address) const {
  return id_of(txn_, tables_.addresses_, address);
}

std::size_t registry_tables::snapshot::agent_count() const { return txn_.count(tables_.agents_).value_or(0); }
std::size_t registry_tables::snapshot::group_count() const { return txn_.count(tables_.groups_).value_or(0); }

std::optional<protocol::removed_row> registry_tables::snapshot::removed(agent_id id) const {
  return row_of<protocol::removed_row>(txn_, tables_.removed_, agent_key(id), protocol::decode_removed_row);
}

std::optional<protocol::group_row> registry_tables::snapshot::group(std::string_view name) const {
  return row_of<protocol::group_row>(txn_, tables_.groups_, name, protocol::decode_group_row);
}

std::vector<agent_id> registry_tables::snapshot::members(std::string_view group, std::size_t limit) const {
  std::vector<agent_id> all;
  auto prefix = std::string{group} + '\0';
  auto walked = txn_.each(tables_.members_, prefix, [&](const row_view& row) {
    if (all.size() >= limit) return false;
    all.push_back(agent_of(row.key.substr(prefix.size())));
    return true;
  });
  if (!walked) all.clear();
  return all;
}

std::optional<protocol::command_result>
registry_tables::snapshot::outcome(const protocol::request_id& id) const {
  auto sequence = txn_.get(tables_.requests_, request_key(id));
  if (!sequence || !*sequence) return std::nullopt;
  auto log = row_of<protocol::log_row>(txn_, tables_.log_, **sequence, protocol::decode_log_row);
  if (!log) return std::nullopt;
  for (const auto& command : log->commands)
    if (command.request == id) return command.result;
  return std::nullopt;
}

void registry_tables::snapshot::each_agent(
    agent_id first, const std::function<bool(agent_id, const protocol::agent_row&)>& visit) const {
  auto walk = txn_.walk(tables_.agents_);
  if (!walk) return;
  for (auto row = walk->seek(agent_key(first)); row && *row; row = walk->next()) {
    auto agent = protocol::decode_agent_row((*row)->value);
    if (agent && !visit(agent_of((*row)->key), *agent)) return;
  }
}

void registry_tables::snapshot::each_removed(
    const std::function<bool(agent_id, const protocol::removed_row&)>& visit) const {
  auto walk = txn_.walk(tables_.removed_);
  if (!walk) return;
  for (auto row = walk->first(); row && *row; row = walk->next()) {
    auto gone = protocol::decode_removed_row((*row)->value);
    if (gone && !visit(agent_of((*row)->key), *gone)) return;
  }
}

std::vector<std::string> registry_tables::snapshot::groups() const {
  std::vector<std::string> all;
  auto walked = txn_.each(tables_.groups_, "", [&](const row_view& row) {
    all.emplace_back(row.key);
    return true;
  });
  if (!walked) all.clear();
  return all;
}

result<void> registry_tables::unlink_agent(write_txn& txn, agent_id id, const protocol::agent_row& row) {
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

result<void> registry_tables::link_agent(write_txn& txn, agent_id id, const protocol::agent_row& row) {
  auto key = agent_key(id);
  if (auto done = txn.put(names_, row.name, key); !done) return done;
  auto address = protocol::address_key(row.address);
  if (!address.empty())
    if (auto done = txn.put(addresses_, address, key); !done) return done;
  for (const auto& group : row.groups)
    if (auto done = txn.put(members_, member_key(group, id), ""); !done) return done;
  return {};
}

result<void> registry_tables::apply_agent(write_txn& txn, const row_write& write) {
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

result<void> registry_tables::apply_log(write_txn& txn, const registry_batch& batch) {
  auto sequence = key_of(batch.head.sequence);
  for (const auto& command : batch.log.commands)
    if (auto done = txn.put(requests_, request_key(command.request), sequence); !done) return done;
  if (auto done = txn.put(log_, sequence, protocol::encode(batch.log)); !done) return done;
  if (batch.head.sequence <= kept_log_rows) return {};
  auto old_key = key_of(batch.head.sequence - kept_log_rows);
  auto old = row_of<protocol::log_row>(txn, log_, old_key, protocol::decode_log_row);
  if (!old) return {};
  for (const auto& command : old->commands)
    if (auto done = txn.erase(requests_, request_key(command.request)); !done)
      return tl::unexpected<error>(done.error());
  auto done = txn.erase(log_, old_key);
  return done ? result<void>{} : tl::unexpected<error>(done.error());
}

result<void> registry_tables::commit(const registry_batch& batch) {
  auto done = env_.update([&](write_txn& txn) -> result<void> {
    for (const auto& write : batch.writes) {
      result<void> step;
      if (write.table == registry_table::agents) {
        step = apply_agent(txn, write);
      } else {
        auto target = write.table == registry_table::removed ? removed_ : groups_;
        if (write.row) {
          step = txn.put(target, write.key, *write.row);
        } else {
          auto erased = txn.erase(target, write.key);
          if (!erased) step = tl::unexpected<error>(erased.error());
        }
      }
      if (!step) return step;
    }
    if (auto step = apply_log(txn, batch); !step) return step;
    return txn.put(meta_, head_key, protocol::encode(batch.head));
  });
  if (done) generation_.fetch_add(1, std::memory_order_release);
  return done;
}

std::string registry_tables::check_consistency() const {
  auto view = read();
  if (!view) return to_string(view.error());
  std::string problem;
  std::size_t names = 0;
  std::size_t addresses = 0;
  std::size_t members = 0;
  view->each_agent(0, [&](agent_id id, const protocol::agent_row& row) {
    ++names;
    members += row.groups.size();
    auto address = protocol::address_key(row.address);
    if (!address.empty()) ++addresses;
    if (view->agent_by_name(row.name) != id) problem = "name of agent " + to_text(id);
    if (!address.empty() && view->agent_by_address(address) != id)
      problem = "address of agent " + to_text(id);
    if (view->removed(id)) problem = "agent " + to_text(id) + " is also removed";
    for (const auto& group : row.groups) {
      if (!view->txn_.contains(members_, member_key(group, id)).value_or(false))
        problem = "agent " + to_text(id) + " in group " + group;
      if (!view->group(group)) problem = "agent " + to_text(id) + " is in unknown group " + group;
    }
    return problem.empty();
  });
  if (!problem.empty()) return problem;
  if (view->txn_.count(names_).value_or(0) != names) return "a name without an agent";
  if (view->txn_.count(addresses_).value_or(0) != addresses) return "an address without an agent";
  if (view->txn_.count(members_).value_or(0) != members) return "a member without an agent";
  return {};
}

std::uint64_t registry_tables::used_bytes() const {
  auto figures = env_.figures();
  return figures ? figures->used_bytes : 0;
}

} // namespace picket::store
