#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Where records wait from the socket to the journal: one file, mapped shared, cut into segments. A batch is
/// a chain of segments. What a killed process had read and not finished is there at the next start. Allocated
/// in full when it is opened, so a full disk shows then and never as a signal later.

namespace picket::store {

struct pool_options {
  std::uint32_t segments = 2'048;
  std::uint32_t segment_bytes = 16'384; ///< a multiple of 4096
  std::uint32_t shards = 64;
  std::uint32_t shard_quota_segments = 512;
  std::uint32_t node = 0; ///< of the batches begun here …
  std::uint32_t boot = 0; ///< … with the number of this start
};

/// One record as it waits.
struct pool_record {
  std::int64_t arrival_ms = 0;
  agent_id agent = 0;
  std::uint8_t kind = 0;        ///< the caller's own meaning
  std::uint64_t connection = 0; ///< token of the connection; 0 in batches of an earlier process
  byte_view bytes;
};

/// Names a batch in the pool. A plain value: nothing happens to the batch when it goes.
struct batch_ref {
  batch_id id;
  shard_id shard = 0;
  std::uint32_t first_segment = 0;
  std::uint32_t attempt = 0; ///< times that its execution was begun and did not come to its end
  std::uint64_t ruleset_version = 0;
  std::uint32_t records = 0;
  std::uint64_t bytes = 0; ///< of the records
  std::int64_t oldest_arrival_ms = 0;
};

/// What opening found of an earlier process.
struct pool_recovery {
  std::vector<batch_ref> batches; ///< oldest first
  std::size_t torn_headers = 0;   ///< segments whose header does not read; skipped
  std::size_t broken_chains = 0;  ///< batches whose later segments do not belong to them; cut there
  bool kept_layout =
      false; ///< unfinished batches are in a file of another size, which therefore stays this time
};

struct pool_figures {
  std::uint32_t segments = 0;
  std::uint32_t free_segments = 0;
  std::uint32_t batches = 0;
};

class pool;

enum class append_result : std::uint8_t {
  taken,
  no_room, ///< no free segment, or the shard's quota is used; nothing was taken
};

/// An open batch, filled by one thread at a time. Going out of scope without `close` leaves the batch in the
/// file, where only the next start finds it.
class batch_writer {
public:
  batch_writer(batch_writer&&) noexcept;
  batch_writer& operator=(batch_writer&&) noexcept;
  ~batch_writer();

  /// Copies the record. From then on it survives a kill of the process.
  append_result append(const pool_record& record) noexcept;
  std::uint32_t records() const noexcept { return ref_.records; }
  std::uint64_t bytes() const noexcept { return ref_.bytes; }
  const batch_ref& ref() const noexcept { return ref_; }
  /// No more records. A batch without any is freed and must not be executed.
  batch_ref close() noexcept;

private:
  friend class pool;
  batch_writer(pool& owner, const batch_ref& ref);
  bool extend() noexcept;

  pool* owner_;
  batch_ref ref_;
  std::vector<std::uint32_t> chain_;
  std::size_t at_ = 0;     ///< segment of the chain that is being filled
  std::size_t offset_ = 0; ///< in its payload
};

/// The records of one batch, read in order. Views last until `finish` and as long as the reader itself.
class batch_reader {
public:
  const std::vector<pool_record>& records() const noexcept { return records_; }
  /// Records that did not read and what followed them; 0 unless the file was damaged.
  std::uint32_t damaged() const noexcept { return damaged_; }

private:
  friend class pool;
  std::vector<pool_record> records_;
  std::vector<std::unique_ptr<std::byte[]>> joined_; ///< records that span segments
  std::uint32_t damaged_ = 0;
};

/// Thread-safe, but for one batch, which one thread has at a time.
class pool {
public:
  /// Readable bytes behind every record.
  static constexpr std::size_t slack_bytes = 64;

  /// Opens or makes the file, mode 0600, and finds what was unfinished. The file is locked against other
  /// processes. Errors: disk_full, in_use, permission, io, invalid_argument.
  static result<std::unique_ptr<pool>> open(const std::filesystem::path& file, const pool_options& options);
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;
  ~pool();

  const pool_recovery& recovery() const noexcept;
  /// Nothing: no free segment, or the shard's quota is used.
  std::optional<batch_writer> begin(shard_id shard, std::uint64_t ruleset_version = 0);
  /// Written before execution begins; counts the attempt.
  void start(batch_ref& batch, std::uint64_t ruleset_version) noexcept;
  /// How many attempts a later start finds: none when its execution came to its end, for what ends the
  /// process from then on is not its doing.
  void set_attempts(const batch_ref& batch, std::uint32_t attempts) noexcept;
  batch_reader read(const batch_ref& batch) const;
  /// Its alerts are written: frees the segments. `ref` names nothing any more.
  void finish(const batch_ref& batch) noexcept;

  std::uint32_t free_segments() const noexcept;
  /// Segments that the shard's batches hold.
  std::uint32_t held_by(shard_id shard) const noexcept;
  pool_figures figures() const noexcept;
  std::uint32_t segment_bytes() const noexcept;
  /// Begun by this process, so that the connections of its records are those of now.
  bool is_of_this_start(const batch_id& batch) const noexcept;
  /// Largest record that the pool takes.
  std::size_t max_record_bytes() const noexcept;

private:
  friend class batch_writer;
  struct state;
  explicit pool(std::unique_ptr<state> owned);

  std::unique_ptr<state> state_;
};

} // namespace picket::store
