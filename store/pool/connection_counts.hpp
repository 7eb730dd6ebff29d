#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/ids.hpp"

namespace picket::store {

/// How many records were taken from each open connection, in a mapped file beside the pool: a record that is
/// counted here is in the pool, also after a kill of the process, so a line that is lost can be told from one
/// that was never read. The counts of the process before are kept in a second file, `<name>.previous`.
///
/// Thread-safe; a slot belongs to one thread at a time. Bound: `slots`; further connections are not counted.
class connection_counts {
public:
  struct row {
    agent_id agent = 0;
    std::uint32_t boot = 0;
    std::uint64_t connection = 0;
    std::uint64_t records = 0;
  };

  /// Errors: disk_full, permission, io.
  static result<std::unique_ptr<connection_counts>> open(const std::filesystem::path& file,
                                                         std::uint32_t slots, std::uint32_t boot);
  /// What a file holds, also one whose process is dead. Errors: io, corrupt.
  static result<std::vector<row>> read(const std::filesystem::path& file);

  connection_counts(const connection_counts&) = delete;
  connection_counts& operator=(const connection_counts&) = delete;
  ~connection_counts();

  std::optional<std::uint32_t> begin(agent_id agent, std::uint64_t connection);
  /// The records that came before `begin` included. Call behind the taking of the record.
  void set(std::uint32_t slot, std::uint64_t records) noexcept;
  void end(std::uint32_t slot) noexcept;

private:
  struct state;
  explicit connection_counts(std::unique_ptr<state> owned);
  std::unique_ptr<state> state_;
};

} // namespace picket::store
