#include "store/pool/pool.hpp"

#include "store/pool/pool_layout.hpp"

#include <algorithm>
#include <cerrno>
#include <mutex>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::store {

using namespace layout;

struct pool::state {
  pool_options options;
  segments all;
  int fd = -1;
  pool_recovery recovered;
  std::atomic<std::uint32_t> free_count{0};
  std::atomic<std::uint64_t> next_sequence{1};
  mutable std::mutex lock;
  // Under the lock:
  std::vector<std::uint32_t> free;
  std::vector<std::uint32_t> held; ///< segments by shard
  std::uint32_t batches = 0;

  ~state() {
    if (all.base != nullptr) munmap(all.base, all.file_bytes());
    if (fd >= 0) ::close(fd);
  }

  std::uint32_t slot_of(std::uint32_t shard) const noexcept {
    return shard % static_cast<std::uint32_t>(held.size());
  }

  std::uint32_t take_segment(std::uint32_t shard, bool first) noexcept {
    std::lock_guard<std::mutex> guard{lock};
    auto& count = held[slot_of(shard)];
    if (free.empty() || count >= options.shard_quota_segments) return no_segment;
    auto index = free.back();
    free.pop_back();
    ++count;
    if (first) ++batches;
    free_count.store(static_cast<std::uint32_t>(free.size()), std::memory_order_relaxed);
    return index;
  }
  void give_back(std::uint32_t shard, const std::vector<std::uint32_t>& chain) noexcept {
    std::lock_guard<std::mutex> guard{lock};
    free.insert(free.end(), chain.begin(), chain.end()); // never grows: reserved for all segments
    auto& count = held[slot_of(shard)];
    count -= std::min<std::uint32_t>(count, static_cast<std::uint32_t>(chain.size()));
    if (batches > 0) --batches;
    free_count.store(static_cast<std::uint32_t>(free.size()), std::memory_order_relaxed);
  }
  /// Everything but the state word, which the caller stores last.
  void write_header(std::uint32_t segment, const segment_identity& identity) noexcept {
    auto& header = all.header(segment);
    header.state.store(static_cast<std::uint32_t>(batch_state::free), std::memory_order_release);
    header.next.store(no_segment, std::memory_order_relaxed);
    header.identity = identity;
    header.checksum = checksum_of(identity);
    header.fill.store(0, std::memory_order_relaxed);
    header.run.store(0, std::memory_order_relaxed);
  }
};

namespace {

tl::unexpected<error> system_error(const char* doing, int number, const std::string& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  return fail(code, std::string{doing} + ": " + system_text(number), where);
}

result<void> check_options(const pool_options& options) {
  const char* wrong = nullptr;
  if (options.segment_bytes < 4'096 || options.segment_bytes % 4'096 != 0)
    wrong = "the size of a segment must be a multiple of 4096";
  else if (options.segments < 2 || options.segments > (1U << 24U))
    wrong = "the pool must have 2 to 16777216 segments";
  else if (options.shards < 1 || options.shards > 65'536)
    wrong = "there must be 1 to 65536 shards";
  else if (options.shard_quota_segments < 1)
    wrong = "a shard must be allowed at least one segment";
  if (wrong != nullptr) return fail(errc::invalid_argument, wrong, "pool");
  return {};
}

/// The layout of an existing file, if it is one of ours and whole.
std::optional<file_header> read_header(int fd, std::uint64_t file_bytes) {
  file_header header;
  if (pread(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) return std::nullopt;
  if (header.magic != file_magic || header.checksum != checksum_of(header)) return std::nullopt;
  if (header.segment_bytes % 4'096 != 0 || header.segment_bytes == 0) return std::nullopt;
  if (header_page_bytes + std::uint64_t{header.segments} * header.segment_bytes > file_bytes)
    return std::nullopt;
  return header;
}

batch_ref describe(const segments& all, std::uint32_t first, const chain_contents& contents) {
  const auto& header = all.header(first);
  auto run = header.run.load(std::memory_order_acquire);
  batch_ref ref;
  ref.id.node = header.identity.node;
  ref.id.boot = header.identity.boot;
  ref.id.sequence = header.identity.sequence;
  ref.shard = static_cast<shard_id>(header.identity.shard);
  ref.first_segment = first;
  ref.attempt = attempt_of(run);
  ref.ruleset_version = version_of(run);
  ref.records = static_cast<std::uint32_t>(contents.records.size());
  for (const auto& record : contents.records)
    ref.bytes += record.bytes.size();
  if (!contents.records.empty()) ref.oldest_arrival_ms = contents.records.front().arrival_ms;
  return ref;
}

/// Finds the batches of an earlier process; `used[i]` tells which segments they hold.
pool_recovery scan(const segments& all, std::vector<bool>& used) {
  pool_recovery found;
  used.assign(all.count, false);
  for (std::uint32_t i = 0; i < all.count; ++i) {
    const auto& header = all.header(i);
    auto state = header.state.load(std::memory_order_acquire);
    if (state == static_cast<std::uint32_t>(batch_state::free)) continue;
    if (state > static_cast<std::uint32_t>(batch_state::link)
        || header.checksum != checksum_of(header.identity)) {
      ++found.torn_headers;
      continue;
    }
    if (state == static_cast<std::uint32_t>(batch_state::link) || header.identity.index != 0) continue;
    auto contents = read_chain(all, i);
    bool shared =
        std::any_of(contents.segments.begin(), contents.segments.end(), [&](auto s) { return used[s]; });
    if (contents.broken || contents.damaged > 0 || shared) ++found.broken_chains;
    if (contents.records.empty() || shared) continue;
    for (auto segment : contents.segments)
      used[segment] = true;
    found.batches.push_back(describe(all, i, contents));
  }
  std::sort(found.batches.begin(), found.batches.end(), [](const batch_ref& a, const batch_ref& b) {
    if (a.id.boot != b.id.boot) return a.id.boot < b.id.boot;
    return a.id.sequence < b.id.sequence;
  });
  return found;
}

result<std::byte*> map_file(int fd, std::size_t bytes, const std::string& where) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (base == MAP_FAILED) return system_error("cannot map the pool", errno, where);
  return static_cast<std::byte*>(base);
}

/// Gives the file its size and its room on the disk, and a new header. All segments are free then.
result<void> make_file(int fd, const pool_options& options, const std::string& where) {
  file_header header;
  header.segments = options.segments;
  header.segment_bytes = options.segment_bytes;
  header.checksum = checksum_of(header);
  auto bytes = header_page_bytes + std::uint64_t{options.segments} * options.segment_bytes;
  if (ftruncate(fd, 0) != 0) return system_error("cannot empty the pool's file", errno, where);
  if (int number = posix_fallocate(fd, 0, static_cast<off_t>(bytes)); number != 0)
    return system_error("cannot allocate the pool's file in full", number, where);
  if (pwrite(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    return system_error("cannot write the pool's header", errno, where);
  return {};
}

} // namespace

pool::pool(std::unique_ptr<state> owned)
    : state_(std::move(owned)) {}
pool::~pool() = default;

result<std::unique_ptr<pool>> pool::open(const std::filesystem::path& file, const pool_options& options) {
  if (auto good = check_options(options); !good) return tl::unexpected(good.error());
  const auto where = file.string();
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  auto made = std::make_unique<state>();
  made->options = options;
  made->fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (made->fd < 0) return system_error("cannot open the pool", errno, where);
  if (fchmod(made->fd, 0600) != 0) return system_error("cannot set the pool's mode to 0600", errno, where);
  if (flock(made->fd, LOCK_EX | LOCK_NB) != 0)
    return fail(errc::in_use, "another process works with this pool", where,
                "Stop the other node, or give this one a "
                "paths.runtime_dir of its own.");
  struct stat info {};
  if (fstat(made->fd, &info) != 0) return system_error("cannot look at the pool", errno, where);

  std::vector<bool> used(options.segments, false);
  if (auto header = read_header(made->fd, static_cast<std::uint64_t>(info.st_size))) {
    made->all.count = header->segments;
    made->all.segment_bytes = header->segment_bytes;
    auto base = map_file(made->fd, made->all.file_bytes(), where);
    if (!base) return tl::unexpected(base.error());
    made->all.base = *base;
    made->recovered = scan(made->all, used);
    bool same = header->segments == options.segments && header->segment_bytes == options.segment_bytes;
    made->recovered.kept_layout = !same && !made->recovered.batches.empty();
    if (!same && !made->recovered.kept_layout) {
      munmap(made->all.base, made->all.file_bytes());
      made->all.base = nullptr;
    }
  }
  if (made->all.base == nullptr) {
    if (auto done = make_file(made->fd, options, where); !done) return tl::unexpected(done.error());
    made->all.count = options.segments;
    made->all.segment_bytes = options.segment_bytes;
    auto base = map_file(made->fd, made->all.file_bytes(), where);
    if (!base) return tl::unexpected(base.error());
    made->all.base = *base;
    used.assign(options.segments, false);
  }

  made->held.assign(options.shards, 0);
  made->free.reserve(made->all.count);
  for (std::uint32_t i = made->all.count; i-- > 0;) {
    if (used[i]) {
      ++made->held[made->slot_of(made->all.header(i).identity.shard)];
      continue;
    }
    made->all.header(i).state.store(static_cast<std::uint32_t>(batch_state::free), std::memory_order_release);
    made->free.push_back(i);
  }
  made->free_count = static_cast<std::uint32_t>(made->free.size());
  made->batches = static_cast<std::uint32_t>(made->recovered.batches.size());
  return std::unique_ptr<pool>{new pool{std::move(made)}};
}

const pool_recovery& pool::recovery() const noexcept { return state_->recovered; }

std::optional<batch_writer> pool::begin(shard_id shard, std::uint64_t ruleset_version) {
  auto segment = state_->take_segment(shard, true);
  if (segment == no_segment) return std::nullopt;
  batch_ref ref;
  ref.id.node = state_->options.node;
  ref.id.boot = state_->options.boot;
  ref.id.sequence = state_->next_sequence.fetch_add(1, std::memory_order_relaxed);
  ref.shard = shard;
  ref.first_segment = segment;
  ref.ruleset_version = ruleset_version;
  segment_identity identity;
  identity.node = ref.id.node;
  identity.boot = ref.id.boot;
  identity.sequence = ref.id.sequence;
  identity.shard = shard;
  state_->write_header(segment, identity);
  auto& header = state_->all.header(segment);
  header.run.store(make_run(0, ruleset_version), std::memory_order_relaxed);
  header.state.store(static_cast<std::uint32_t>(batch_state::open), std::memory_order_release);
  return batch_writer{*this, ref};
}

void pool::start(batch_ref& batch, std::uint64_t ruleset_version) noexcept {
  auto& header = state_->all.header(batch.first_segment);
  ++batch.attempt;
  batch.ruleset_version = ruleset_version;
  header.run.store(make_run(batch.attempt, ruleset_version), std::memory_order_release);
  header.state.store(static_cast<std::uint32_t>(batch_state::running), std::memory_order_release);
}

void pool::set_attempts(const batch_ref& batch, std::uint32_t attempts) noexcept {
  state_->all.header(batch.first_segment)
      .run.store(make_run(attempts, batch.ruleset_version), std::memory_order_release);
}

batch_reader pool::read(const batch_ref& batch) const {
  auto contents = read_chain(state_->all, batch.first_segment);
  batch_reader reader;
  reader.records_ = std::move(contents.records);
  reader.joined_ = std::move(contents.joined);
  reader.damaged_ = contents.damaged;
  if (!is_of_this_start(batch.id))
    for (auto& record : reader.records_)
      record.connection = 0; // the connections of that process are gone, their tokens may name others
  return reader;
}

void pool::finish(const batch_ref& batch) noexcept {
  std::vector<std::uint32_t> chain;
  auto& first = state_->all.header(batch.first_segment);
  for (auto at = batch.first_segment; at != no_segment && chain.size() < state_->all.count;) {
    chain.push_back(at);
    at = state_->all.header(at).next.load(std::memory_order_acquire);
    if (at != no_segment && at >= state_->all.count) break;
  }
  // The first: from this store on no later start finds the batch.
  first.state.store(static_cast<std::uint32_t>(batch_state::free), std::memory_order_release);
  for (std::size_t i = 1; i < chain.size(); ++i)
    state_->all.header(chain[i]).state.store(static_cast<std::uint32_t>(batch_state::free),
                                             std::memory_order_release);
  state_->give_back(batch.shard, chain);
}

std::uint32_t pool::free_segments() const noexcept {
  return state_->free_count.load(std::memory_order_relaxed);
}

std::uint32_t pool::held_by(shard_id shard) const noexcept {
  std::lock_guard<std::mutex> guard{state_->lock};
  return state_->held[state_->slot_of(shard)];
}

pool_figures pool::figures() const noexcept {
  std::lock_guard<std::mutex> guard{state_->lock};
  pool_figures now;
  now.segments = state_->all.count;
  now.free_segments = static_cast<std::uint32_t>(state_->free.size());
  now.batches = state_->batches;
  return now;
}

std::uint32_t pool::segment_bytes() const noexcept { return state_->all.segment_bytes; }

bool pool::is_of_this_start(const batch_id& batch) const noexcept {
  return batch.boot == state_->options.boot && batch.node == state_->options.node;
}

std::size_t pool::max_record_bytes() const noexcept {
  auto most = std::min(state_->options.shard_quota_segments, state_->all.count);
  return most * state_->all.payload_bytes() - sizeof(record_header) - 8;
}

batch_writer::batch_writer(batch_writer&&) noexcept = default;
batch_writer& batch_writer::operator=(batch_writer&&) noexcept = default;
batch_writer::~batch_writer() = default;

batch_writer::batch_writer(pool& owner, const batch_ref& ref)
    : owner_(&owner)
    , ref_(ref) {
  chain_.push_back(ref.first_segment);
}

bool batch_writer::extend() noexcept {
  auto& state = *owner_->state_;
  auto segment = state.take_segment(ref_.shard, false);
  if (segment == no_segment) return false;
  auto identity = state.all.header(ref_.first_segment).identity;
  identity.index = static_cast<std::uint32_t>(chain_.size());
  state.write_header(segment, identity);
  state.all.header(segment).state.store(static_cast<std::uint32_t>(batch_state::link),
                                        std::memory_order_release);
  state.all.header(chain_.back()).next.store(segment, std::memory_order_release);
  chain_.push_back(segment);
  return true;
}

append_result batch_writer::append(const pool_record& record) noexcept {
  const auto& all = owner_->state_->all;
  const auto payload = all.payload_bytes();
  const auto need = sizeof(record_header) + record.bytes.size();
  // A small record does not span segments: the rest of this one stays unused, and nobody has to join it.
  auto at = at_;
  auto offset = offset_;
  if (payload - offset < need && (need <= payload / 4 || offset == payload)) {
    ++at;
    offset = 0;
  }
  while ((chain_.size() - at) * payload < need + offset)
    if (!extend()) return append_result::no_room;

  record_header header;
  header.arrival_ms = record.arrival_ms;
  header.connection = record.connection;
  header.agent = record.agent;
  header.length = static_cast<std::uint32_t>(record.bytes.size());
  header.kind = record.kind;
  header.mark = record_mark ^ header.length;
  const auto first = at;
  auto copy = [&](const void* data, std::size_t size) {
    for (const auto* from = static_cast<const std::byte*>(data); size > 0;) {
      if (offset == payload) {
        ++at;
        offset = 0;
      }
      auto part = std::min(size, payload - offset);
      std::memcpy(all.payload(chain_[at]) + offset, from, part);
      from += part;
      size -= part;
      offset += part;
    }
  };
  copy(&header, sizeof header);
  copy(record.bytes.data(), record.bytes.size());
  offset = padded(offset);
  for (auto i = first; i < at; ++i)
    all.header(chain_[i]).fill.store(payload, std::memory_order_release);
  all.header(chain_[at]).fill.store(offset, std::memory_order_release);

  at_ = at;
  offset_ = offset;
  if (ref_.records == 0) ref_.oldest_arrival_ms = record.arrival_ms;
  ++ref_.records;
  ref_.bytes += record.bytes.size();
  return append_result::taken;
}

batch_ref batch_writer::close() noexcept {
  auto& header = owner_->state_->all.header(ref_.first_segment);
  header.state.store(static_cast<std::uint32_t>(batch_state::closed), std::memory_order_release);
  if (ref_.records == 0) owner_->finish(ref_);
  return ref_;
}

} // namespace picket::store
