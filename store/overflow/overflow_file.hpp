#pragma once

#include "base/error.hpp"
#include "store/pool/pool.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

/// One sequential file of batches. Its bytes:
///
///   file  = header page (4096) slot[slots] entry*
///   slot  = word (state, attempt) offset            mapped shared: a change survives a kill of the process
///   entry = entry_header record* ; record = record_fields bytes padding to 8
///
/// An entry counts from the store of its slot's word on, which comes after its bytes. After a crash of the
/// machine a slot may be on the disk without its bytes: the checksum tells.

namespace picket::store {

/// The records of a batch that came back from a file. Views last as long as this.
struct stored_batch {
  std::unique_ptr<std::byte[]> bytes;
  std::size_t size = 0;
  std::vector<pool_record> records;
};

enum class slot_state : std::uint8_t { empty = 0, stored = 1, done = 2 };

/// Used by one thread at a time, but for `start` and `finish`.
class overflow_file {
public:
  static constexpr std::uint32_t slots = 4'096;
  static constexpr std::uint64_t head_bytes = 4'096 + std::uint64_t{slots} * 16; ///< of an empty file
  static constexpr std::size_t largest_entry_bytes = std::size_t{64} << 20U;

  /// Makes a new file, mode 0600. Errors: already_exists, disk_full, permission, io.
  static result<std::shared_ptr<overflow_file>> create(const std::filesystem::path& path);
  /// Opens a file of an earlier process for reading. Errors: corrupt (not one of ours), io.
  static result<std::shared_ptr<overflow_file>> open(const std::filesystem::path& path);
  overflow_file(const overflow_file&) = delete;
  overflow_file& operator=(const overflow_file&) = delete;
  ~overflow_file();

  struct found {
    std::uint32_t slot = 0;
    batch_ref ref;
  };
  /// What is not done, in the order of the slots; what is damaged is marked done and counted. Errors: io (the
  /// disk does not read: nothing is given up).
  result<std::vector<found>> scan(std::size_t& damaged);

  /// The number of the slot. Errors: disk_full, io; nothing is in the file then.
  result<std::uint32_t> append(const batch_ref& batch, std::span<const pool_record> records);
  bool full() const noexcept { return next_slot_ >= slots; }
  result<void> sync();
  /// Errors: corrupt, io.
  result<stored_batch> load(std::uint32_t slot);

  /// Counts an attempt before it begins; thread-safe.
  void start(std::uint32_t slot, std::uint32_t attempt) noexcept;
  /// True if it was not done before; thread-safe.
  bool finish(std::uint32_t slot) noexcept;
  std::uint32_t live() const noexcept { return live_.load(std::memory_order_acquire); }
  std::uint64_t size() const noexcept { return end_; }
  /// Something in it did not read back.
  bool damaged() const noexcept { return damaged_; }
  const std::filesystem::path& path() const noexcept { return path_; }

  /// Bytes that an entry of this batch takes.
  static std::size_t entry_bytes(std::span<const pool_record> records) noexcept;

private:
  struct slot_word;
  explicit overflow_file(std::filesystem::path path);
  result<void> map();
  result<batch_ref> read_entry(std::uint64_t offset, stored_batch* into);

  std::filesystem::path path_;
  int fd_ = -1;
  std::byte* base_ = nullptr;
  std::uint64_t end_ = 0;
  std::uint32_t next_slot_ = 0;
  bool damaged_ = false;
  std::atomic<std::uint32_t> live_{0};
};

/// Reads the records of an entry's body; false if it is not whole. For the file and its fuzz target.
bool parse_stored_records(byte_view body, std::uint32_t count, std::vector<pool_record>& records);

} // namespace picket::store
