#include "store/pool/connection_counts.hpp"

#include <atomic>
#include <cerrno>
#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::store {

namespace {

constexpr std::uint64_t file_magic = 0x31304e4e4f434b50; // "PKCONN01"

struct file_header {
  std::uint64_t magic = file_magic;
  std::uint32_t slots = 0;
  std::uint32_t boot = 0;
  std::uint64_t reserved[2] = {};
};

struct slot_row {
  std::atomic<std::uint64_t> connection; ///< 0: free; stored last, cleared first
  std::atomic<std::uint64_t> records;
  std::atomic<std::uint32_t> agent;
  std::uint32_t reserved;
};
static_assert(sizeof(file_header) == 32 && sizeof(slot_row) == 24);

tl::unexpected<error> system_error(const char* doing, int number, const std::filesystem::path& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  return fail(code, std::string{doing} + ": " + system_text(number), where.string());
}

} // namespace

struct connection_counts::state {
  std::byte* base = nullptr;
  std::size_t bytes = 0;
  std::mutex mutex;
  std::vector<std::uint32_t> free;

  slot_row& row(std::uint32_t slot) const noexcept {
    return reinterpret_cast<slot_row*>(base + sizeof(file_header))[slot];
  }
  ~state() {
    if (base != nullptr) munmap(base, bytes);
  }
};

connection_counts::connection_counts(std::unique_ptr<state> owned)
    : state_{std::move(owned)} {}
connection_counts::~connection_counts() = default;

result<std::unique_ptr<connection_counts>> connection_counts::open(const std::filesystem::path& file,
                                                                   std::uint32_t slots, std::uint32_t boot) {
  auto previous = file;
  previous += ".previous";
  if (::rename(file.c_str(), previous.c_str()) != 0 && errno != ENOENT)
    return system_error("cannot keep the counts of the process before", errno, file);
  int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return system_error("cannot make the file of connections", errno, file);
  auto made = std::make_unique<state>();
  made->bytes = sizeof(file_header) + std::size_t{slots} * sizeof(slot_row);
  file_header header;
  header.slots = slots;
  header.boot = boot;
  int number = posix_fallocate(fd, 0, static_cast<off_t>(made->bytes));
  if (number == 0 && ::pwrite(fd, &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header))
    number = errno;
  void* base =
      number == 0 ? mmap(nullptr, made->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (number == 0 && base == MAP_FAILED) number = errno;
  ::close(fd);
  if (number != 0) return system_error("cannot make the file of connections", number, file);
  made->base = static_cast<std::byte*>(base);
  for (auto slot = slots; slot-- > 0;)
    made->free.push_back(slot);
  return std::unique_ptr<connection_counts>{new connection_counts{std::move(made)}};
}

result<std::vector<connection_counts::row>> connection_counts::read(const std::filesystem::path& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return system_error("cannot open the file of connections", errno, file);
  struct stat info {};
  file_header header;
  bool whole = ::fstat(fd, &info) == 0
               && ::pread(fd, &header, sizeof header, 0) == static_cast<ssize_t>(sizeof header)
               && header.magic == file_magic
               && static_cast<std::uint64_t>(info.st_size)
                      >= sizeof header + std::uint64_t{header.slots} * sizeof(slot_row);
  std::vector<row> rows;
  std::uint64_t raw[3];
  for (std::uint32_t slot = 0; whole && slot < header.slots; ++slot) {
    auto at = static_cast<off_t>(sizeof header + std::size_t{slot} * sizeof(slot_row));
    whole = ::pread(fd, raw, sizeof raw, at) == static_cast<ssize_t>(sizeof raw);
    if (whole && raw[0] != 0)
      rows.push_back({static_cast<agent_id>(raw[2] & 0xffffffffU), header.boot, raw[0], raw[1]});
  }
  ::close(fd);
  if (!whole) return fail(errc::corrupt, "this is no file of connections", file.string());
  return rows;
}

std::optional<std::uint32_t> connection_counts::begin(agent_id agent, std::uint64_t connection) {
  std::uint32_t slot = 0;
  {
    std::lock_guard lock{state_->mutex};
    if (state_->free.empty()) return std::nullopt;
    slot = state_->free.back();
    state_->free.pop_back();
  }
  auto& place = state_->row(slot);
  place.records.store(0, std::memory_order_relaxed);
  place.agent.store(agent, std::memory_order_relaxed);
  place.connection.store(connection, std::memory_order_release);
  return slot;
}

void connection_counts::set(std::uint32_t slot, std::uint64_t records) noexcept {
  state_->row(slot).records.store(records, std::memory_order_release);
}

void connection_counts::end(std::uint32_t slot) noexcept {
  state_->row(slot).connection.store(0, std::memory_order_release);
  std::lock_guard lock{state_->mutex};
  state_->free.push_back(slot);
}

} // namespace picket::store
