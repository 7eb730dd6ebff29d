#include "store/lmdb/lmdb_env.hpp"

#include <cerrno>
#include <mutex>
#include <shared_mutex>

#include <lmdb.h>

namespace picket::store {

/// LMDB lets the map grow only while no transaction of the process is open: transactions hold `map` shared,
/// growing holds it alone. `gate` keeps new readers from starving the one who wants to grow.
struct lmdb_state {
  MDB_env* env = nullptr;
  std::string directory;
  lmdb_options options;
  std::shared_timed_mutex map;
  std::mutex gate;

  ~lmdb_state() {
    if (env != nullptr) mdb_env_close(env);
  }
  void hold() {
    std::lock_guard<std::mutex> enter{gate};
    map.lock_shared();
  }
  void release() { map.unlock_shared(); }
};

namespace {

constexpr mdb_mode_t file_mode = 0600;

MDB_val to_val(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }
std::string_view to_view(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }

errc code_of(int rc) {
  switch (rc) {
  case MDB_MAP_FULL:
    return errc::store_full;
  case ENOSPC:
  case EDQUOT:
    return errc::disk_full;
  case EACCES:
  case EPERM:
  case EROFS:
    return errc::permission;
  case MDB_CORRUPTED:
  case MDB_PAGE_NOTFOUND:
  case MDB_INVALID:
  case MDB_VERSION_MISMATCH:
  case MDB_PANIC:
    return errc::corrupt;
  case MDB_READERS_FULL:
  case MDB_DBS_FULL:
  case MDB_TXN_FULL:
    return errc::limit_reached;
  case MDB_BAD_VALSIZE:
    return errc::invalid_argument;
  default:
    return errc::io;
  }
}

tl::unexpected<error> lmdb_error(int rc, const char* doing, std::string where = {}) {
  // mdb_strerror is not thread-safe for errno values.
  std::string text = rc > 0 ? system_text(rc) : std::string{mdb_strerror(rc)};
  return fail(code_of(rc), std::string{doing} + ": " + text, std::move(where));
}

} // namespace

cursor::~cursor() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

result<std::optional<row_view>> cursor::step(int operation, std::string_view key) {
  MDB_val k = to_val(key);
  MDB_val v{};
  int rc = mdb_cursor_get(cursor_, &k, &v, static_cast<MDB_cursor_op>(operation));
  if (rc == MDB_NOTFOUND) return std::nullopt;
  if (rc != 0) return lmdb_error(rc, "walk over a table");
  row_view row;
  row.key = to_view(k);
  row.value = to_view(v);
  return row;
}

result<std::optional<row_view>> cursor::first() { return step(MDB_FIRST, {}); }
result<std::optional<row_view>> cursor::last() { return step(MDB_LAST, {}); }
result<std::optional<row_view>> cursor::next() { return step(MDB_NEXT, {}); }
result<std::optional<row_view>> cursor::previous() { return step(MDB_PREV, {}); }
result<std::optional<row_view>> cursor::seek(std::string_view key) {
  if (key.empty()) return first();
  return step(MDB_SET_RANGE, key);
}

read_txn::read_txn(read_txn&& other) noexcept
    : state_(std::exchange(other.state_, nullptr))
    , txn_(std::exchange(other.txn_, nullptr)) {}

read_txn::~read_txn() {
  if (txn_ != nullptr) mdb_txn_abort(txn_);
  if (state_ != nullptr) state_->release();
}

result<std::optional<std::string_view>> read_txn::get(table from, std::string_view key) const {
  if (key.empty()) return std::nullopt;
  MDB_val k = to_val(key);
  MDB_val v{};
  int rc = mdb_get(txn_, from.handle, &k, &v);
  if (rc == MDB_NOTFOUND) return std::nullopt;
  if (rc != 0) return lmdb_error(rc, "read a row");
  return to_view(v);
}

result<bool> read_txn::contains(table from, std::string_view key) const {
  auto value = get(from, key);
  if (!value) return tl::unexpected(value.error());
  return value->has_value();
}

result<std::uint64_t> read_txn::count(table of) const {
  MDB_stat stat{};
  if (int rc = mdb_stat(txn_, of.handle, &stat); rc != 0) return lmdb_error(rc, "count a table");
  return stat.ms_entries;
}

result<cursor> read_txn::walk(table over) const {
  MDB_cursor* raw = nullptr;
  if (int rc = mdb_cursor_open(txn_, over.handle, &raw); rc != 0) return lmdb_error(rc, "walk over a table");
  return cursor{raw};
}

result<void> read_txn::each(table over, std::string_view prefix,
                            const std::function<bool(const row_view&)>& visit) const {
  auto rows = walk(over);
  if (!rows) return tl::unexpected(rows.error());
  auto row = rows->seek(prefix);
  while (row && row->has_value() && (*row)->key.substr(0, prefix.size()) == prefix) {
    if (!visit(**row)) return {};
    row = rows->next();
  }
  if (!row) return tl::unexpected(row.error());
  return {};
}

result<void> write_txn::put(table to, std::string_view key, std::string_view value) {
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  if (int rc = mdb_put(txn_, to.handle, &k, &v, 0); rc != 0) return lmdb_error(rc, "write a row");
  return {};
}

result<bool> write_txn::put_new(table to, std::string_view key, std::string_view value) {
  MDB_val k = to_val(key);
  MDB_val v = to_val(value);
  int rc = mdb_put(txn_, to.handle, &k, &v, MDB_NOOVERWRITE);
  if (rc == MDB_KEYEXIST) return false;
  if (rc != 0) return lmdb_error(rc, "write a row");
  return true;
}

result<bool> write_txn::erase(table from, std::string_view key) {
  if (key.empty()) return false;
  MDB_val k = to_val(key);
  int rc = mdb_del(txn_, from.handle, &k, nullptr);
  if (rc == MDB_NOTFOUND) return false;
  if (rc != 0) return lmdb_error(rc, "remove a row");
  return true;
}

result<void> write_txn::clear(table of) {
  if (int rc = mdb_drop(txn_, of.handle, 0); rc != 0) return lmdb_error(rc, "clear a table");
  return {};
}

result<void> write_txn::commit() {
  auto* txn = std::exchange(txn_, nullptr);
  int rc = mdb_txn_commit(txn);
  std::exchange(state_, nullptr)->release();
  if (rc != 0) return lmdb_error(rc, "commit");
  return {};
}

lmdb_env::lmdb_env(std::unique_ptr<lmdb_state> state)
    : state_(std::move(state)) {}
lmdb_env::lmdb_env(lmdb_env&&) noexcept = default;
lmdb_env& lmdb_env::operator=(lmdb_env&&) noexcept = default;
lmdb_env::~lmdb_env() = default;

result<lmdb_env> lmdb_env::open(const std::filesystem::path& directory, const lmdb_options& options) {
  std::error_code ec;
  if (std::filesystem::create_directories(directory, ec))
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ec);
  if (ec) return fail(errc::io, "cannot make the directory: " + ec.message(), directory.string());
  auto state = std::make_unique<lmdb_state>();
  state->directory = directory.string();
  state->options = options;
  if (int rc = mdb_env_create(&state->env); rc != 0)
    return lmdb_error(rc, "open the store", state->directory);
  mdb_env_set_maxdbs(state->env, options.max_tables);
  mdb_env_set_maxreaders(state->env, options.max_readers);
  // A store that has grown beyond the initial size keeps its own size.
  mdb_env_set_mapsize(state->env, options.initial_bytes);
  unsigned flags = MDB_NOTLS;
  if (options.sync == durability::no_meta_sync) flags |= MDB_NOMETASYNC;
  if (options.sync == durability::none) flags |= MDB_NOSYNC;
  if (int rc = mdb_env_open(state->env, state->directory.c_str(), flags, file_mode); rc != 0)
    return lmdb_error(rc, "open the store", state->directory);
  int dead = 0;
  mdb_reader_check(state->env, &dead); // slots of processes that were killed
  return lmdb_env{std::move(state)};
}

result<table> lmdb_env::open_table(const std::string& name) {
  table opened;
  auto done = update([&](write_txn& txn) -> result<void> {
    MDB_dbi handle = 0;
    if (int rc = mdb_dbi_open(txn.txn_, name.c_str(), MDB_CREATE, &handle); rc != 0)
      return lmdb_error(rc, "open the table", state_->directory + "/" + name);
    opened.handle = handle;
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return opened;
}

result<read_txn> lmdb_env::read() const {
  state_->hold();
  MDB_txn* txn = nullptr;
  if (int rc = mdb_txn_begin(state_->env, nullptr, MDB_RDONLY, &txn); rc != 0) {
    state_->release();
    return lmdb_error(rc, "begin to read", state_->directory);
  }
  return read_txn{state_.get(), txn};
}

result<write_txn> lmdb_env::write() {
  state_->hold();
  MDB_txn* txn = nullptr;
  if (int rc = mdb_txn_begin(state_->env, nullptr, 0, &txn); rc != 0) {
    state_->release();
    return lmdb_error(rc, "begin to write", state_->directory);
  }
  return write_txn{state_.get(), txn};
}

result<void> lmdb_env::update(const std::function<result<void>(write_txn&)>& change) {
  for (;;) {
    auto before = figures();
    if (!before) return tl::unexpected(before.error());
    {
      auto txn = write();
      if (!txn) return tl::unexpected(txn.error());
      auto done = change(*txn);
      if (done) done = txn->commit();
      if (done || done.error().code != errc::store_full) return done;
    }
    if (auto grown = grow(before->map_bytes); !grown) return grown;
  }
}

result<void> lmdb_env::grow(std::uint64_t seen_map_bytes) {
  std::lock_guard<std::mutex> enter{state_->gate};
  std::unique_lock<std::shared_timed_mutex> alone{state_->map, std::defer_lock};
  if (!alone.try_lock_for(std::chrono::milliseconds(state_->options.grow_wait_ms)))
    return fail(errc::timeout, "a transaction stays open, so the store cannot grow", state_->directory);
  MDB_envinfo info{};
  mdb_env_info(state_->env, &info);
  if (info.me_mapsize > seen_map_bytes) return {}; // another thread was faster
  if (info.me_mapsize >= state_->options.limit_bytes)
    return fail(errc::store_full,
                "the store has its greatest size of " + std::to_string(info.me_mapsize) + " bytes",
                state_->directory);
  auto wanted = std::min<std::uint64_t>(info.me_mapsize * 2, state_->options.limit_bytes);
  if (int rc = mdb_env_set_mapsize(state_->env, wanted); rc != 0)
    return lmdb_error(rc, "grow the store", state_->directory);
  return {};
}

result<void> lmdb_env::flush() {
  if (int rc = mdb_env_sync(state_->env, 1); rc != 0) return lmdb_error(rc, "flush", state_->directory);
  return {};
}

result<void> lmdb_env::copy_to(const std::filesystem::path& directory) const {
  std::error_code ec;
  std::filesystem::create_directories(directory, ec);
  if (ec) return fail(errc::io, "cannot make the directory: " + ec.message(), directory.string());
  state_->hold();
  int rc = mdb_env_copy2(state_->env, directory.c_str(), MDB_CP_COMPACT);
  state_->release();
  if (rc != 0) return lmdb_error(rc, "copy the store", directory.string());
  return {};
}

result<lmdb_figures> lmdb_env::figures() const {
  MDB_envinfo info{};
  MDB_stat stat{};
  state_->hold();
  int rc = mdb_env_info(state_->env, &info);
  if (rc == 0) rc = mdb_env_stat(state_->env, &stat);
  state_->release();
  if (rc != 0) return lmdb_error(rc, "look at the store", state_->directory);
  lmdb_figures now;
  now.map_bytes = info.me_mapsize;
  now.used_bytes = (info.me_last_pgno + 1) * stat.ms_psize;
  now.readers = info.me_numreaders;
  return now;
}

} // namespace picket::store
