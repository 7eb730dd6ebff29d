#include "store/overflow/overflow_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/faults/faults.hpp"
#include "store/file_write.hpp"

namespace picket::store {

namespace {

constexpr std::uint64_t file_magic = 0x31305245564f4b50;  // "PKOVER01"
constexpr std::uint64_t entry_magic = 0x314859525443424b; // marks the begin of an entry
constexpr std::size_t header_bytes = 4'096;

struct file_header {
  std::uint64_t magic = file_magic;
  std::uint32_t slots = overflow_file::slots;
  std::uint32_t version = 1;
};

struct entry_header {
  std::uint64_t magic = entry_magic;
  std::uint64_t checksum = 0; ///< of all behind it, this header's rest included
  std::uint64_t sequence = 0;
  std::uint32_t node = 0;
  std::uint32_t boot = 0;
  std::uint32_t shard = 0;
  std::uint32_t records = 0;
  std::uint64_t body_bytes = 0;
  std::uint64_t record_bytes = 0;
  std::int64_t oldest_arrival_ms = 0;
};
static_assert(sizeof(entry_header) == 64);
constexpr std::size_t unchecked_bytes = 16;

struct record_fields {
  std::int64_t arrival_ms = 0;
  std::uint64_t connection = 0;
  std::uint32_t agent = 0;
  std::uint32_t length = 0;
  std::uint32_t kind = 0;
  std::uint32_t reserved = 0;
};
static_assert(sizeof(record_fields) == 32);

constexpr std::size_t padded(std::size_t bytes) noexcept { return (bytes + 7) / 8 * 8; }

/// Eight bytes at a step; guards against torn and foreign bytes, not against malice.
std::uint64_t checksum_of(const std::byte* data, std::size_t size) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325 ^ size;
  for (; size >= 8; size -= 8, data += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, 8);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15;
    hash ^= hash >> 32U;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, data, size);
  return (hash ^ rest) * 0x9e3779b97f4a7c15;
}

tl::unexpected<error> system_error(const char* doing, int number, const std::filesystem::path& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  if (number == EEXIST) code = errc::already_exists;
  return fail(code, std::string{doing} + ": " + system_text(number), where.string());
}

/// 0: all is read; ENODATA: the file ends before; else errno.
int read_exactly(int fd, void* into, std::size_t size, std::uint64_t offset) noexcept {
  auto* at = static_cast<std::byte*>(into);
  while (size > 0) {
    auto got = faults::pread(fd, at, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return ENODATA;
    at += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  return 0;
}

std::uint64_t make_word(slot_state state, std::uint32_t attempt) noexcept {
  return static_cast<std::uint64_t>(state) << 56U | attempt;
}
slot_state state_of(std::uint64_t word) noexcept { return static_cast<slot_state>(word >> 56U); }
std::uint32_t attempt_of(std::uint64_t word) noexcept { return static_cast<std::uint32_t>(word); }

} // namespace

struct overflow_file::slot_word {
  std::atomic<std::uint64_t> word;
  std::atomic<std::uint64_t> offset;

  static slot_word& at(std::byte* base, std::uint32_t slot) noexcept {
    return reinterpret_cast<slot_word*>(base + header_bytes)[slot];
  }
};

namespace {
constexpr std::size_t table_bytes = overflow_file::head_bytes;
static_assert(table_bytes == header_bytes + std::size_t{overflow_file::slots} * 16);
} // namespace

overflow_file::overflow_file(std::filesystem::path path)
    : path_{std::move(path)} {}

overflow_file::~overflow_file() {
  if (base_ != nullptr) munmap(base_, table_bytes);
  if (fd_ >= 0) ::close(fd_);
}

result<void> overflow_file::map() {
  void* base = mmap(nullptr, table_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
  if (base == MAP_FAILED) return system_error("cannot map the overflow file", errno, path_);
  base_ = static_cast<std::byte*>(base);
  return {};
}

result<std::shared_ptr<overflow_file>> overflow_file::create(const std::filesystem::path& path) {
  static_assert(sizeof(slot_word) == 16);
  std::shared_ptr<overflow_file> self{new overflow_file{path}};
  self->fd_ = open_file(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (self->fd_ < 0) return system_error("cannot make an overflow file", errno, path);
  file_header header;
  // In full, so that a full disk shows here and never as a signal when a slot is written.
  int number = posix_fallocate(self->fd_, 0, static_cast<off_t>(table_bytes));
  if (number == 0 && ::pwrite(self->fd_, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    number = errno;
  if (number != 0) {
    ::unlink(path.c_str());
    return system_error("cannot make an overflow file", number, path);
  }
  if (auto mapped = self->map(); !mapped) return tl::unexpected(mapped.error());
  self->end_ = table_bytes;
  return self;
}

result<std::shared_ptr<overflow_file>> overflow_file::open(const std::filesystem::path& path) {
  std::shared_ptr<overflow_file> self{new overflow_file{path}};
  self->fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (self->fd_ < 0) return system_error("cannot open an overflow file", errno, path);
  struct stat info {};
  if (fstat(self->fd_, &info) != 0) return system_error("cannot look at an overflow file", errno, path);
  self->end_ = static_cast<std::uint64_t>(info.st_size);
  file_header header;
  int number = self->end_ >= table_bytes ? read_exactly(self->fd_, &header, sizeof header, 0) : ENODATA;
  if (number != 0 && number != ENODATA) return system_error("cannot read an overflow file", number, path);
  if (number != 0 || header.magic != file_magic || header.slots != slots || header.version != 1)
    return fail(errc::corrupt, "this is no overflow file, or only a part of one", path.string(),
                "move it away; it is kept for whoever wants to look at it");
  if (auto mapped = self->map(); !mapped) return tl::unexpected(mapped.error());
  return self;
}

result<std::vector<overflow_file::found>> overflow_file::scan(std::size_t& damaged) {
  std::vector<found> all;
  live_ = 0;
  next_slot_ = slots; // nothing is added to a file of an earlier process
  for (std::uint32_t slot = 0; slot < slots; ++slot) {
    auto& entry = slot_word::at(base_, slot);
    auto word = entry.word.load(std::memory_order_acquire);
    if (state_of(word) == slot_state::empty || state_of(word) == slot_state::done) continue;
    auto ref = read_entry(entry.offset.load(std::memory_order_relaxed), nullptr);
    if (!ref && ref.error().code != errc::corrupt) return tl::unexpected(ref.error());
    if (!ref) {
      ++damaged;
      damaged_ = true;
      entry.word.store(make_word(slot_state::done, 0), std::memory_order_release);
      continue;
    }
    ref->attempt = attempt_of(word);
    all.push_back({slot, *ref});
    live_.fetch_add(1);
  }
  return all;
}

std::size_t overflow_file::entry_bytes(std::span<const pool_record> records) noexcept {
  auto size = sizeof(entry_header);
  for (const auto& record : records)
    size += sizeof(record_fields) + padded(record.bytes.size());
  return size;
}

result<std::uint32_t> overflow_file::append(const batch_ref& batch, std::span<const pool_record> records) {
  if (full()) return fail(errc::limit_reached, "the overflow file has no free slot", path_.string());
  std::vector<std::byte> bytes(entry_bytes(records));
  auto* at = bytes.data() + sizeof(entry_header);
  for (const auto& record : records) {
    record_fields fields;
    fields.arrival_ms = record.arrival_ms;
    fields.connection = record.connection;
    fields.agent = record.agent;
    fields.length = static_cast<std::uint32_t>(record.bytes.size());
    fields.kind = record.kind;
    std::memcpy(at, &fields, sizeof fields);
    if (!record.bytes.empty()) std::memcpy(at + sizeof fields, record.bytes.data(), record.bytes.size());
    at += sizeof fields + padded(record.bytes.size());
  }
  entry_header header;
  header.sequence = batch.id.sequence;
  header.node = batch.id.node;
  header.boot = batch.id.boot;
  header.shard = batch.shard;
  header.records = static_cast<std::uint32_t>(records.size());
  header.body_bytes = bytes.size() - sizeof header;
  header.record_bytes = batch.bytes;
  header.oldest_arrival_ms = batch.oldest_arrival_ms;
  std::memcpy(bytes.data(), &header, sizeof header);
  header.checksum = checksum_of(bytes.data() + unchecked_bytes, bytes.size() - unchecked_bytes);
  std::memcpy(bytes.data(), &header, sizeof header);

  if (::lseek(fd_, static_cast<off_t>(end_), SEEK_SET) < 0)
    return system_error("cannot write to the overflow", errno, path_);
  if (auto written = write_all(fd_, as_text(bytes)); !written.done()) {
    [[maybe_unused]] auto cut = ::ftruncate(fd_, static_cast<off_t>(end_));
    return system_error("cannot write to the overflow", written.error_number, path_);
  }
  auto slot = next_slot_++;
  auto& entry = slot_word::at(base_, slot);
  entry.offset.store(end_, std::memory_order_relaxed);
  entry.word.store(make_word(slot_state::stored, batch.attempt), std::memory_order_release);
  end_ += bytes.size();
  live_.fetch_add(1);
  return slot;
}

result<void> overflow_file::sync() {
  // The slots are pages of the same file: what the mapping changed is written as well.
  if (int number = sync_file(fd_); number != 0)
    return system_error("cannot force the overflow to the disk", number, path_);
  return {};
}

bool parse_stored_records(byte_view body, std::uint32_t count, std::vector<pool_record>& records) {
  records.clear();
  records.reserve(std::min<std::size_t>(count, body.size() / sizeof(record_fields)));
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    record_fields fields;
    if (body.size() - at < sizeof fields) return false;
    std::memcpy(&fields, body.data() + at, sizeof fields);
    at += sizeof fields;
    if (body.size() - at < padded(fields.length)) return false;
    pool_record record;
    record.arrival_ms = fields.arrival_ms;
    record.connection = fields.connection;
    record.agent = fields.agent;
    record.kind = static_cast<std::uint8_t>(fields.kind);
    record.bytes = body.subspan(at, fields.length);
    records.push_back(record);
    at += padded(fields.length);
  }
  return at == body.size();
}

result<batch_ref> overflow_file::read_entry(std::uint64_t offset, stored_batch* into) {
  auto broken = [&] { return fail(errc::corrupt, "a batch does not read back", path_.string()); };
  entry_header header;
  if (offset < table_bytes || offset > end_ || end_ - offset < sizeof header) return broken();
  auto failed = [&](int number) -> result<batch_ref> {
    if (number == ENODATA) return broken();
    return system_error("cannot read an overflow file", number, path_);
  };
  if (int number = read_exactly(fd_, &header, sizeof header, offset); number != 0) return failed(number);
  if (header.magic != entry_magic || header.body_bytes > largest_entry_bytes
      || header.body_bytes > end_ - offset - sizeof header || header.records == 0)
    return broken();
  auto size = sizeof header + header.body_bytes;
  auto bytes = std::make_unique<std::byte[]>(size + pool::slack_bytes);
  if (int number = read_exactly(fd_, bytes.get(), size, offset); number != 0) return failed(number);
  if (checksum_of(bytes.get() + unchecked_bytes, size - unchecked_bytes) != header.checksum) return broken();
  std::vector<pool_record> records;
  if (!parse_stored_records({bytes.get() + sizeof header, header.body_bytes}, header.records, records))
    return broken();
  batch_ref ref;
  ref.id = {header.node, header.boot, header.sequence};
  ref.shard = static_cast<shard_id>(header.shard);
  ref.records = header.records;
  ref.bytes = header.record_bytes;
  ref.oldest_arrival_ms = header.oldest_arrival_ms;
  if (into != nullptr) {
    into->bytes = std::move(bytes);
    into->size = size;
    into->records = std::move(records);
  }
  return ref;
}

result<stored_batch> overflow_file::load(std::uint32_t slot) {
  stored_batch batch;
  if (slot >= slots) return fail(errc::invalid_argument, "no such slot", path_.string());
  auto read = read_entry(slot_word::at(base_, slot).offset.load(std::memory_order_relaxed), &batch);
  if (!read && read.error().code == errc::corrupt) damaged_ = true;
  if (!read) return tl::unexpected(read.error());
  return batch;
}

void overflow_file::start(std::uint32_t slot, std::uint32_t attempt) noexcept {
  slot_word::at(base_, slot).word.store(make_word(slot_state::stored, attempt), std::memory_order_release);
}

bool overflow_file::finish(std::uint32_t slot) noexcept {
  auto before = slot_word::at(base_, slot).word.exchange(make_word(slot_state::done, 0));
  if (state_of(before) != slot_state::stored) return false;
  live_.fetch_sub(1, std::memory_order_acq_rel);
  return true;
}

} // namespace picket::store
