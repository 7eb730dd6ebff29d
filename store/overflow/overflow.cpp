#include "store/overflow/overflow.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/file_write.hpp"

namespace picket::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view name_begin = "overflow-";
constexpr std::string_view name_end = ".batches";

/// The number in a file's name; 0 if it is not one of ours.
std::uint64_t number_of(const std::string& name) {
  if (name.size() <= name_begin.size() + name_end.size() || !name.starts_with(name_begin)
      || !name.ends_with(name_end))
    return 0;
  std::uint64_t number = 0;
  const char* first = name.data() + name_begin.size();
  const char* last = name.data() + name.size() - name_end.size();
  auto [end, problem] = std::from_chars(first, last, number);
  return problem == std::errc{} && end == last ? number : 0;
}

/// A new name in a directory is on the disk only when the directory is.
result<void> sync_directory(const fs::path& dir) {
  int fd = ::open(dir.empty() ? "." : dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int number = fd < 0 ? errno : 0;
  if (fd >= 0 && ::fsync(fd) != 0) number = errno;
  if (fd >= 0) ::close(fd);
  if (number == 0) return {};
  return fail(errc::io, "cannot force a directory to the disk: " + system_text(number), dir.string());
}

} // namespace

overflow::overflow(overflow_options options)
    : options_{std::move(options)} {}

fs::path overflow::path_of(std::uint64_t number) const {
  auto digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return options_.dir / (std::string{name_begin} + digits + std::string{name_end});
}

result<std::unique_ptr<overflow>> overflow::open(const overflow_options& options) {
  std::error_code problem;
  bool made = fs::create_directories(options.dir, problem);
  if (problem)
    return fail(errc::io, "cannot make the directory of the overflow: " + problem.message(),
                options.dir.string());
  if (made) {
    fs::permissions(options.dir, fs::perms::owner_all, problem);
    if (auto synced = sync_directory(options.dir.parent_path()); !synced)
      return tl::unexpected(synced.error());
  }
  std::unique_ptr<overflow> self{new overflow{options}};
  if (auto found = self->recover(); !found) return tl::unexpected(found.error());
  return self;
}

result<void> overflow::recover() {
  std::error_code problem;
  std::vector<std::uint64_t> numbers;
  for (fs::directory_iterator at{options_.dir, problem}, end; !problem && at != end; at.increment(problem))
    if (auto number = number_of(at->path().filename().string()); number != 0) numbers.push_back(number);
  if (problem)
    return fail(errc::io, "cannot read the directory of the overflow: " + problem.message(),
                options_.dir.string());
  std::sort(numbers.begin(), numbers.end());
  for (auto number : numbers) {
    last_ = std::max(last_, number);
    auto file = overflow_file::open(path_of(number));
    if (!file) {
      if (file.error().code != errc::corrupt) return tl::unexpected(file.error());
      recovered_.foreign.push_back(path_of(number).string());
      continue;
    }
    auto found = (*file)->scan(recovered_.damaged);
    if (!found) return tl::unexpected(found.error());
    for (auto& one : *found)
      recovered_.batches.push_back({one.ref, {number, one.slot, static_cast<std::uint32_t>(one.ref.bytes)}});
    bytes_ += (*file)->size();
    files_.emplace(number, std::move(*file));
  }
  std::stable_sort(recovered_.batches.begin(), recovered_.batches.end(), [](const auto& a, const auto& b) {
    if (a.ref.id.boot != b.ref.id.boot) return a.ref.id.boot < b.ref.id.boot;
    return a.ref.id.sequence < b.ref.id.sequence;
  });
  tidy();
  return {};
}

result<void> overflow::check_room(std::uint64_t bytes) const {
  auto where = options_.dir.string();
  {
    std::lock_guard lock{mutex_};
    if (bytes_ + bytes > options_.max_bytes)
      return fail(errc::overflow_full,
                  "the overflow holds " + std::to_string(bytes_ >> 20U) + " MiB of at most "
                      + std::to_string(options_.max_bytes >> 20U),
                  where);
    auto current = files_.find(current_);
    bool another = current == files_.end() || current->second->full()
                   || current->second->size() + bytes > options_.file_bytes;
    if (another && files_.size() >= options_.max_files)
      return fail(errc::overflow_full,
                  "the overflow has " + std::to_string(files_.size()) + " files, as many as it may", where);
    std::uint64_t batches = 0;
    for (const auto& [number, file] : files_)
      batches += file->live();
    if (batches >= options_.max_batches)
      return fail(errc::overflow_full,
                  "the overflow holds " + std::to_string(batches) + " batches, as many as it may", where);
  }
  struct statvfs disk {};
  if (::statvfs(options_.dir.c_str(), &disk) != 0)
    return fail(errc::io, "the disk of the overflow does not answer: " + system_text(errno), where);
  auto room = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (room < options_.keep_free_bytes + bytes)
    return fail(errc::overflow_full, "only " + std::to_string(room >> 20U) + " MiB are free on its disk",
                where);
  return {};
}

result<void> overflow::begin_file() {
  auto file = overflow_file::create(path_of(last_ + 1));
  // The name may be taken by a file that is not ours.
  while (!file && file.error().code == errc::already_exists)
    file = overflow_file::create(path_of(++last_ + 1));
  if (!file) return tl::unexpected(file.error());
  ++last_;
  if (auto synced = sync_directory(options_.dir); !synced) {
    ::unlink(path_of(last_).c_str());
    return synced;
  }
  std::lock_guard lock{mutex_};
  current_ = last_;
  bytes_ += (*file)->size();
  files_.emplace(current_, std::move(*file));
  return {};
}

std::shared_ptr<overflow_file> overflow::file_of(std::uint64_t number) const {
  std::lock_guard lock{mutex_};
  auto found = files_.find(number);
  return found == files_.end() ? nullptr : found->second;
}

result<stored_ref> overflow::append(const batch_ref& batch, std::span<const pool_record> records) {
  auto need = overflow_file::entry_bytes(records);
  auto file = file_of(current_);
  bool another = !file || file->full() || file->size() + need > options_.file_bytes;
  auto room = check_room(need + (another ? overflow_file::head_bytes : 0));
  if (!room) return tl::unexpected(room.error());
  if (another) {
    if (auto begun = begin_file(); !begun) return tl::unexpected(begun.error());
    file = file_of(current_);
  }
  auto slot = file->append(batch, records);
  if (!slot) return tl::unexpected(slot.error());
  std::lock_guard lock{mutex_};
  bytes_ += need;
  if (to_sync_.empty() || to_sync_.back() != file) to_sync_.push_back(file);
  return stored_ref{current_, *slot, static_cast<std::uint32_t>(need)};
}

result<void> overflow::sync() {
  std::vector<std::shared_ptr<overflow_file>> files;
  {
    std::lock_guard lock{mutex_};
    files.swap(to_sync_);
  }
  for (const auto& file : files)
    if (auto done = file->sync(); !done) {
      // The kernel reports a failure once and then takes the pages for clean: nothing more is added to what
      // may lack its beginning.
      std::lock_guard lock{mutex_};
      current_ = 0;
      return done;
    }
  return {};
}

result<stored_batch> overflow::load(const stored_ref& where) {
  auto file = file_of(where.file);
  if (!file) return fail(errc::not_found, "the overflow file is gone", path_of(where.file).string());
  return file->load(where.slot);
}

result<void> overflow::probe() {
  auto path = options_.dir / "probe";
  int fd = open_file(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  int number = fd < 0 ? errno : 0;
  if (fd >= 0) {
    number = write_all(fd, std::string(4'096, '\0')).error_number;
    if (number == 0) number = sync_file(fd);
    ::close(fd);
    ::unlink(path.c_str());
  }
  if (number == 0) return {};
  return fail(errc::io, "the disk of the overflow still refuses: " + system_text(number), path.string());
}

void overflow::tidy() {
  std::vector<std::shared_ptr<overflow_file>> gone;
  {
    std::lock_guard lock{mutex_};
    for (auto at = files_.begin(); at != files_.end();) {
      bool used = at->second->live() > 0 || (at->first == current_ && !at->second->full());
      // A current file that is empty again is left behind once it has grown.
      if (at->first == current_ && at->second->live() == 0 && at->second->size() > options_.file_bytes / 4) {
        used = false;
        current_ = 0;
      }
      if (used) {
        ++at;
        continue;
      }
      bytes_ -= std::min(bytes_, at->second->size());
      gone.push_back(std::move(at->second));
      at = files_.erase(at);
    }
  }
  for (const auto& file : gone) {
    if (!file->damaged()) {
      ::unlink(file->path().c_str());
      continue;
    }
    // Whoever wants to look at the damage finds it.
    auto aside = file->path();
    aside += ".damaged";
    ::rename(file->path().c_str(), aside.c_str());
  }
}

void overflow::start(const stored_ref& where, std::uint32_t attempt) noexcept {
  if (auto file = file_of(where.file)) file->start(where.slot, attempt);
}

void overflow::finish(const stored_ref& where) noexcept {
  if (auto file = file_of(where.file)) file->finish(where.slot);
}

overflow_figures overflow::figures() const {
  std::lock_guard lock{mutex_};
  overflow_figures now;
  now.bytes = bytes_;
  now.files = files_.size();
  for (const auto& [number, file] : files_)
    now.batches += file->live();
  return now;
}

} // namespace picket::store
