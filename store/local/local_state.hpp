#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"
#include "store/lmdb/lmdb_env.hpp"

namespace picket::store {

/// What a node knows for itself and shares with nobody's tables (environment `local/`): status of agents,
/// first-seen keys, its own boot number. Thread-safe. Status may lose its last second in a power cut; it
/// mends itself.
class local_state {
public:
  /// Counts one boot. `now_s`: Unix time. Errors: io, disk_full, corrupt.
  static result<std::unique_ptr<local_state>> open(const std::filesystem::path& directory,
                                                   std::int64_t now_s);

  /// Number of this start of the node; grows by one each time, never repeats.
  std::uint32_t boot() const noexcept { return boot_; }
  /// Random once in the life of the directory; names the node where it has no other number.
  std::uint32_t node_number() const noexcept { return node_number_; }

  /// Global part of a counter pair that is above every pair that earlier starts have sent to agents, also
  /// when they follow each other within a second. Sessions start at most 2 s ahead of the clock.
  std::uint32_t counter_floor() const noexcept { return counter_floor_; }

  /// What its file has come to; 0 if that is not known.
  std::uint64_t used_bytes() const;

  /// Rows of agent status; `nullopt` takes one away. One transaction.
  result<void> put_status(const std::vector<std::pair<agent_id, std::optional<std::string>>>& rows);
  result<void> each_status(const std::function<void(agent_id, std::string_view)>& visit) const;

  /// First-seen keys, oldest first; `put` appends. Errors: disk_full, io.
  result<void> put_first_seen(const std::vector<std::string>& keys);
  result<void> each_first_seen(const std::function<void(std::string_view)>& visit) const;
  /// Drops the oldest keys beyond `limit`.
  result<void> trim_first_seen(std::size_t limit);

private:
  explicit local_state(lmdb_env env)
      : env_{std::move(env)} {}
  result<void> start(std::int64_t now_s);

  lmdb_env env_;
  table status_, first_seen_, meta_;
  std::uint32_t boot_ = 0;
  std::uint32_t node_number_ = 0;
  std::uint32_t counter_floor_ = 0;
};

} // namespace picket::store
