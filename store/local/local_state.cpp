#include "store/local/local_state.hpp"

#include <algorithm>

#include <openssl/rand.h>

namespace picket::store {

result<std::unique_ptr<local_state>> local_state::open(const std::filesystem::path& directory,
                                                       std::int64_t now_s) {
  lmdb_options options;
  options.sync = durability::no_meta_sync;
  auto env = lmdb_env::open(directory, options);
  if (!env) return tl::unexpected<error>(env.error());
  std::unique_ptr<local_state> self{new local_state{std::move(*env)}};
  auto started = self->start(now_s);
  if (!started) return tl::unexpected<error>(started.error());
  return self;
}

result<void> local_state::start(std::int64_t now_s) {
  for (auto [name, into] : {std::pair<const char*, table*>{"agent_status", &status_},
                            std::pair<const char*, table*>{"first_seen", &first_seen_},
                            std::pair<const char*, table*>{"meta", &meta_}}) {
    auto opened = env_.open_table(name);
    if (!opened) return tl::unexpected<error>(opened.error());
    *into = *opened;
  }
  auto counted = env_.update([this, now_s](write_txn& txn) -> result<void> {
    auto boot = txn.get(meta_, "boot");
    if (!boot) return tl::unexpected<error>(boot.error());
    boot_ = (*boot ? static_cast<std::uint32_t>(number_of(**boot)) : 0) + 1;
    auto node = txn.get(meta_, "node");
    if (!node) return tl::unexpected<error>(node.error());
    if (*node) {
      node_number_ = static_cast<std::uint32_t>(number_of(**node));
    } else {
      RAND_bytes(reinterpret_cast<unsigned char*>(&node_number_), sizeof node_number_);
      node_number_ = node_number_ % 65'535 + 1;
      if (auto put = txn.put(meta_, "node", key_of(node_number_, 4)); !put) return put;
    }
    auto floor = txn.get(meta_, "counter");
    if (!floor) return tl::unexpected<error>(floor.error());
    auto last = *floor ? static_cast<std::uint32_t>(number_of(**floor)) : 0;
    counter_floor_ = std::max(static_cast<std::uint32_t>(now_s) + 3, last + 1);
    if (auto put = txn.put(meta_, "counter", key_of(counter_floor_, 4)); !put) return put;
    return txn.put(meta_, "boot", key_of(boot_, 4));
  });
  // A number that comes again would give two alerts one id: it must be on the disk before the first batch.
  return counted ? env_.flush() : counted;
}

result<void>
local_state::put_status(const std::vector<std::pair<agent_id, std::optional<std::string>>>& rows) {
  return env_.update([&](write_txn& txn) -> result<void> {
    for (const auto& [id, row] : rows) {
      if (row) {
        if (auto put = txn.put(status_, agent_key(id), *row); !put) return put;
      } else if (auto gone = txn.erase(status_, agent_key(id)); !gone) {
        return tl::unexpected<error>(gone.error());
      }
    }
    return {};
  });
}

result<void> local_state::each_status(const std::function<void(agent_id, std::string_view)>& visit) const {
  auto txn = env_.read();
  if (!txn) return tl::unexpected<error>(txn.error());
  return txn->each(status_, "", [&](const row_view& row) {
    visit(static_cast<agent_id>(number_of(row.key)), row.value);
    return true;
  });
}

result<void> local_state::put_first_seen(const std::vector<std::string>& keys) {
  return env_.update([&](write_txn& txn) -> result<void> {
    std::uint64_t next = 1;
    auto walk = txn.walk(first_seen_);
    if (!walk) return tl::unexpected<error>(walk.error());
    auto last = walk->last();
    if (!last) return tl::unexpected<error>(last.error());
    if (*last) next = number_of((*last)->key) + 1;
    for (const auto& key : keys)
      if (auto put = txn.put(first_seen_, key_of(next++), key); !put) return put;
    return {};
  });
}

result<void> local_state::each_first_seen(const std::function<void(std::string_view)>& visit) const {
  auto txn = env_.read();
  if (!txn) return tl::unexpected<error>(txn.error());
  return txn->each(first_seen_, "", [&](const row_view& row) {
    visit(row.value);
    return true;
  });
}

result<void> local_state::trim_first_seen(std::size_t limit) {
  return env_.update([&](write_txn& txn) -> result<void> {
    auto count = txn.count(first_seen_);
    if (!count) return tl::unexpected<error>(count.error());
    if (*count <= limit) return {};
    auto excess = *count - limit;
    std::vector<std::string> old;
    auto walked = txn.each(first_seen_, "", [&](const row_view& row) {
      old.emplace_back(row.key);
      return old.size() < excess && old.size() < 10'000;
    });
    if (!walked) return walked;
    for (const auto& key : old)
      if (auto gone = txn.erase(first_seen_, key); !gone) return tl::unexpected<error>(gone.error());
    return {};
  });
}

std::uint64_t local_state::used_bytes() const {
  auto figures = env_.figures();
  return figures ? figures->used_bytes : 0;
}

} // namespace picket::store
