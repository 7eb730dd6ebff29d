#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

/// LMDB with errors as values. An environment is one directory; tables are named and sorted by the bytes of
/// the key. One writer at a time, readers never wait for it. No transaction should last over 20 ms.

namespace picket::store {

/// What survives what. Nothing is lost by a killed process in any of them.
enum class durability {
  full,         ///< a commit survives a power cut
  no_meta_sync, ///< a power cut may undo the last commits, the store stays whole
  none,         ///< a power cut may undo all since `flush`, and damage the store
};

struct lmdb_options {
  std::uint64_t initial_bytes = 64ULL << 20U;
  std::uint64_t limit_bytes = 64ULL << 30U; ///< the map grows by doubling up to this
  unsigned max_tables = 64;
  unsigned max_readers = 512;
  durability sync = durability::full;
  /// How long growing the map waits for open transactions of this process.
  unsigned grow_wait_ms = 5'000;
};

/// A table of an open environment; a number, cheap to copy.
struct table {
  unsigned handle = 0;
};

struct row_view {
  std::string_view key;
  std::string_view value;
};

/// Walks a table in key order. Views die with the transaction, in a write transaction with the next write.
class cursor {
public:
  cursor(cursor&& other) noexcept
      : cursor_(std::exchange(other.cursor_, nullptr)) {}
  cursor& operator=(cursor&& other) noexcept {
    std::swap(cursor_, other.cursor_);
    return *this;
  }
  ~cursor();

  /// Each answers the row now under the cursor, or nothing past the end.
  result<std::optional<row_view>> first();
  result<std::optional<row_view>> last();
  result<std::optional<row_view>> next();
  result<std::optional<row_view>> previous();
  /// The first row whose key is not below the given one.
  result<std::optional<row_view>> seek(std::string_view key);

private:
  friend class read_txn;
  explicit cursor(MDB_cursor* raw)
      : cursor_(raw) {}
  result<std::optional<row_view>> step(int operation, std::string_view key);

  MDB_cursor* cursor_ = nullptr;
};

struct lmdb_state;

/// A view of all tables at one moment. Stays on the thread that opened it.
/// Holds back the growing of the map: close it before `update` in the same thread.
class read_txn {
public:
  read_txn(read_txn&& other) noexcept;
  read_txn& operator=(read_txn&&) = delete;
  ~read_txn();

  /// The value, or nothing. The view dies with the transaction, in a write transaction with the next write.
  result<std::optional<std::string_view>> get(table from, std::string_view key) const;
  result<bool> contains(table from, std::string_view key) const;
  result<std::uint64_t> count(table of) const;
  result<cursor> walk(table over) const;
  /// Calls `visit` for every row whose key begins with the prefix, in order, until it answers false.
  result<void> each(table over, std::string_view prefix,
                    const std::function<bool(const row_view&)>& visit) const;

protected:
  friend class lmdb_env;
  read_txn(lmdb_state* state, MDB_txn* txn)
      : state_(state)
      , txn_(txn) {}

  lmdb_state* state_ = nullptr; ///< its map is held while not null
  MDB_txn* txn_ = nullptr;
};

/// The one writer. Undone unless committed. `errc::store_full` from a call: the transaction is lost;
/// `lmdb_env::update` grows the map and repeats.
class write_txn : public read_txn {
public:
  write_txn(write_txn&&) noexcept = default;

  result<void> put(table to, std::string_view key, std::string_view value);
  /// False, and nothing written, if the key is there.
  result<bool> put_new(table to, std::string_view key, std::string_view value);
  /// False if the key was not there.
  result<bool> erase(table from, std::string_view key);
  /// Removes every row.
  result<void> clear(table of);
  /// Ends the transaction, whatever the answer.
  result<void> commit();

private:
  friend class lmdb_env;
  using read_txn::read_txn;
};

struct lmdb_figures {
  std::uint64_t map_bytes = 0;
  std::uint64_t used_bytes = 0; ///< up to the last page ever used; free pages inside are not told apart
  unsigned readers = 0;
};

/// One environment. Thread-safe; an environment must be opened only once in a process.
class lmdb_env {
public:
  /// Makes the directory (mode 0700) and the files (0600) if they are missing.
  static result<lmdb_env> open(const std::filesystem::path& directory, const lmdb_options& options = {});
  lmdb_env(lmdb_env&&) noexcept;
  lmdb_env& operator=(lmdb_env&&) noexcept;
  ~lmdb_env();

  /// Opens the table, makes it if it is missing. Call at start, not while a write transaction is open.
  result<table> open_table(const std::string& name);
  result<read_txn> read() const;
  /// Waits for the writer before. `update` is the better choice: it copes with a full map.
  result<write_txn> write();
  /// Runs `change` in a write transaction and commits it if it answers no error. The map full: grows it
  /// and calls `change` again in a new transaction, so it must not keep what it did outside of it.
  /// `errc::store_full` at the limit, `errc::disk_full` without room on the disk; nothing is changed then.
  result<void> update(const std::function<result<void>(write_txn&)>& change);
  /// Forces everything to the disk.
  result<void> flush();
  /// A compact copy into an empty directory.
  result<void> copy_to(const std::filesystem::path& directory) const;
  result<lmdb_figures> figures() const;

private:
  explicit lmdb_env(std::unique_ptr<lmdb_state> state);
  result<void> grow(std::uint64_t seen_map_bytes);

  std::unique_ptr<lmdb_state> state_;
};

/// Big-endian keys, so that numbers sort as numbers.
inline std::string key_of(std::uint64_t number, unsigned bytes = 8) {
  std::string key(bytes, '\0');
  for (unsigned i = 0; i < bytes; ++i)
    key[bytes - 1 - i] = static_cast<char>(number >> (8 * i));
  return key;
}
inline std::string agent_key(std::uint32_t id) { return key_of(id, 4); }

/// The number of a big-endian key of at most 8 bytes.
inline std::uint64_t number_of(std::string_view key) {
  std::uint64_t number = 0;
  for (char c : key.substr(0, 8))
    number = number << 8U | static_cast<unsigned char>(c);
  return number;
}

} // namespace picket::store
