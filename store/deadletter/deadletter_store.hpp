#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "store/deadletter/dead_letter.hpp"

namespace picket::store {

/// What a list shows of one letter.
struct letter_summary {
  letter_head head;
  std::uint64_t seen_again = 0; ///< lines with the same text that came since the node's start
};

/// The dead letters of a node: a file for each in one directory, mode 0600, replaced as a whole or not at
/// all. Their heads are in memory. Thread-safe; `keep`, `read` and `drop` wait for the disk.
///
/// Bound: `limit` letters. At the bound nothing more is kept; the caller counts and says it.
class deadletter_store {
public:
  /// Makes the directory (0700) and reads the first lines of what is there. Files that do not read are left
  /// alone, and counted. Errors: io, permission.
  static result<std::unique_ptr<deadletter_store>> open(const std::filesystem::path& directory,
                                                        std::size_t limit);

  /// A letter that is there already stays as it is. Errors: store_full, disk_full, permission, io.
  result<void> keep(const dead_letter& letter);
  /// Errors: letter_unknown, corrupt, io.
  result<dead_letter> read(const std::string& id) const;
  /// Errors: letter_unknown, io, permission.
  result<void> drop(const std::string& id);

  /// Oldest first. `total` becomes the number of all.
  std::vector<letter_summary> list(std::size_t offset, std::size_t count, std::size_t& total) const;
  std::optional<letter_summary> find(const std::string& id) const;
  std::vector<std::string> ids() const;
  std::size_t size() const;
  /// Files that were found and could not be read.
  std::size_t unreadable() const noexcept { return unreadable_; }

  /// A letter was kept that died of this text alone: counts it as seen again. Costs a load without such
  /// letters, and no more than a look at the length for most texts with them.
  bool seen(std::string_view text) noexcept;

private:
  using key = std::array<std::uint64_t, 3>;
  struct digest_hash {
    std::size_t operator()(const text_digest& digest) const noexcept;
  };
  struct known_text {
    std::size_t letters = 0;
    std::uint64_t seen_again = 0;
  };

  deadletter_store(std::filesystem::path directory, std::size_t limit);
  result<void> load();
  result<void> write_file(const dead_letter& letter) const;
  std::filesystem::path file_of(const std::string& id) const;
  void remember(const letter_head& head);
  void forget(const letter_head& head);
  letter_summary summary_of(const letter_head& head) const;

  std::filesystem::path directory_;
  std::size_t limit_;
  std::size_t unreadable_ = 0;
  mutable std::mutex files_mutex_; ///< one change of the directory at a time; taken before the other
  mutable std::mutex mutex_;
  // Under `mutex_`:
  std::map<key, letter_head> heads_;
  std::unordered_map<text_digest, known_text, digest_hash> texts_;
  std::unordered_map<std::uint64_t, std::size_t> lengths_; ///< how many known texts are so long
  // Read without a lock:
  std::atomic<std::size_t> known_texts_{0};
  std::array<std::atomic<std::uint64_t>, 1'024> length_bits_{}; ///< of lengths modulo 65536
};

} // namespace picket::store
