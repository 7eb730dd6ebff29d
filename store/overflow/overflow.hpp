#pragma once

#include "store/overflow/overflow_file.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>

/// Where batches wait that do not fit into the pool, and those of durable ingest: sequential files in one
/// directory, bounded in bytes and by the room that must stay free on the disk. A batch stays until it is
/// finished; a file goes when all its batches have. What a dead process left is found at the next start.

namespace picket::store {

struct overflow_options {
  std::filesystem::path dir;
  std::uint64_t max_bytes = std::uint64_t{10} << 30U;        ///< of all files together
  std::uint64_t keep_free_bytes = std::uint64_t{256} << 20U; ///< on the disk
  std::uint64_t file_bytes = std::uint64_t{64} << 20U;       ///< a file is not begun anew before
  std::size_t max_files = 256;                               ///< each has a descriptor and a mapping
  std::uint64_t max_batches = 131'072;                       ///< each takes some 200 bytes of memory
};

/// Names a stored batch. A plain value: nothing happens to the batch when it goes.
struct stored_ref {
  std::uint64_t file = 0;
  std::uint32_t slot = 0;
  std::uint32_t bytes = 0; ///< of the entry, as far as memory and the limit are concerned
};

struct overflow_recovery {
  struct batch {
    batch_ref ref;
    stored_ref where;
  };
  std::vector<batch> batches;       ///< oldest first
  std::size_t damaged = 0;          ///< batches that did not read back
  std::vector<std::string> foreign; ///< files with our name that are not ours or not whole; left alone
};

struct overflow_figures {
  std::uint64_t bytes = 0; ///< of the files
  std::uint64_t batches = 0;
  std::size_t files = 0;
};

/// `append`, `sync`, `load` and `tidy` wait for the disk and belong to one thread; `start`, `finish` and
/// `figures` are for any.
class overflow {
public:
  /// Makes the directory (0700) and finds what was left. Errors: permission, io.
  static result<std::unique_ptr<overflow>> open(const overflow_options& options);

  const overflow_recovery& recovery() const noexcept { return recovered_; }
  /// Errors: overflow_full (a limit, or the room that must stay free), disk_full, io. Nothing is stored then.
  result<stored_ref> append(const batch_ref& batch, std::span<const pool_record> records);
  /// Forces to the disk what was appended since the last call. After an error nothing of that counts, and the
  /// next batch begins a new file.
  result<void> sync();
  /// Errors: corrupt, io.
  result<stored_batch> load(const stored_ref& where);
  /// Writes a small file and forces it to the disk, to see whether the disk takes it. Errors: io.
  result<void> probe();
  /// Removes files that are done with; one with damage is kept as `….damaged`.
  void tidy();

  /// Counts an attempt before it begins.
  void start(const stored_ref& where, std::uint32_t attempt) noexcept;
  void finish(const stored_ref& where) noexcept;
  overflow_figures figures() const;
  /// Whether a batch of this size would be taken; the reason if not.
  result<void> check_room(std::uint64_t bytes) const;
  const overflow_options& options() const noexcept { return options_; }

private:
  explicit overflow(overflow_options options);
  result<void> recover();
  result<void> begin_file();
  std::shared_ptr<overflow_file> file_of(std::uint64_t number) const;
  std::filesystem::path path_of(std::uint64_t number) const;

  overflow_options options_;
  overflow_recovery recovered_;
  mutable std::mutex mutex_; ///< of all below
  std::map<std::uint64_t, std::shared_ptr<overflow_file>> files_;
  std::uint64_t current_ = 0; ///< 0: none is begun
  std::uint64_t last_ = 0;
  std::uint64_t bytes_ = 0;
  std::vector<std::shared_ptr<overflow_file>> to_sync_;
};

} // namespace picket::store
