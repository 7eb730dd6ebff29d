#include "store/journal/journal_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/file_write.hpp"

namespace picket::store {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t ms_per_second = 1'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr unsigned most_parts = 999;

tl::unexpected<error> system_error(const char* doing, int number, const fs::path& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  return fail(code, std::string{doing} + ": " + system_text(number), where.string());
}

/// Days since 1970 in local time.
std::int64_t local_day(const journal_time& now) {
  auto local_s = now.now_ms / ms_per_second + now.utc_offset_s;
  return (local_s - (local_s % seconds_per_day + seconds_per_day) % seconds_per_day) / seconds_per_day;
}

struct civil_date {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};

/// Gregorian date of a day number, by 400-year eras.
civil_date date_of(std::int64_t day) {
  day += 719'468; // 0000-03-01
  auto era = (day >= 0 ? day : day - 146'096) / 146'097;
  auto of_era = day - era * 146'097;
  auto year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  auto shifted_month = (5 * of_year + 2) / 153;
  civil_date date;
  date.day = static_cast<unsigned>(of_year - (153 * shifted_month + 2) / 5 + 1);
  date.month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

result<void> make_directories(const fs::path& directory) {
  std::error_code ec;
  std::vector<fs::path> made;
  for (auto at = directory; !at.empty() && !fs::exists(at, ec); at = at.parent_path())
    made.push_back(at);
  std::reverse(made.begin(), made.end());
  for (const auto& one : made)
    if (mkdir(one.c_str(), 0750) != 0 && errno != EEXIST)
      return system_error("cannot make the journal's directory", errno, one);
  return {};
}

} // namespace

std::string to_text(const journal_position& position) {
  return position.file + ":" + std::to_string(position.offset);
}

journal_position parse_journal_position(std::string_view text) {
  journal_position position;
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return position;
  auto digits = text.substr(colon + 1);
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), position.offset);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return {};
  position.file = text.substr(0, colon);
  return position;
}

journal_file::journal_file(journal_file&& other) noexcept { *this = std::move(other); }

journal_file& journal_file::operator=(journal_file&& other) noexcept {
  std::swap(options_, other.options_);
  std::swap(fd_, other.fd_);
  std::swap(name_, other.name_);
  std::swap(day_, other.day_);
  std::swap(part_, other.part_);
  std::swap(size_, other.size_);
  std::swap(synced_, other.synced_);
  std::swap(repaired_bytes_, other.repaired_bytes_);
  std::swap(opened_ms_, other.opened_ms_);
  return *this;
}

journal_file::~journal_file() {
  if (fd_ >= 0) ::close(fd_);
}

std::string journal_file::part_name(std::int64_t day, unsigned part) const {
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                           "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto date = date_of(day);
  char number[64];
  std::snprintf(number, sizeof number, "%04lld/%s/", static_cast<long long>(date.year),
                months[date.month - 1]);
  std::string name = number + options_.stem;
  std::snprintf(number, sizeof number, "-%02u", date.day);
  name += number;
  if (part > 0) {
    std::snprintf(number, sizeof number, "-%03u", part);
    name += number;
  }
  return name + "." + options_.extension;
}

result<journal_file> journal_file::open(const journal_file_options& options, const journal_time& now) {
  journal_file file;
  file.options_ = options;
  auto day = local_day(now);
  unsigned part = 0;
  std::error_code ec;
  while (part < most_parts && fs::exists(options.directory / file.part_name(day, part + 1), ec))
    ++part;
  if (auto opened = file.open_part(now, day, part); !opened) return tl::unexpected(opened.error());
  if (options.rotate_bytes > 0 && file.size_ > static_cast<std::uint64_t>(options.rotate_bytes)
      && part < most_parts)
    if (auto next = file.open_part(now, day, part + 1); !next) return tl::unexpected(next.error());
  return file;
}

result<void> journal_file::open_part(const journal_time& now, std::int64_t day, unsigned part) {
  auto name = part_name(day, part);
  auto path = options_.directory / name;
  if (auto made = make_directories(path.parent_path()); !made) return made;
  int fd = open_file(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, 0640);
  if (fd < 0) return system_error("cannot open the journal", errno, path);
  struct stat info {};
  if (fstat(fd, &info) != 0) {
    int number = errno;
    ::close(fd);
    return system_error("cannot look at the journal", number, path);
  }
  // The old file stays in use until the new one is known to be good.
  int old_fd = std::exchange(fd_, fd);
  auto old_name = std::exchange(name_, name);
  auto old_size = std::exchange(size_, static_cast<std::uint64_t>(info.st_size));
  auto ready = repair();
  if (ready) ready = link_live();
  if (!ready) {
    ::close(fd);
    fd_ = old_fd;
    name_ = old_name;
    size_ = old_size;
    return ready;
  }
  if (old_fd >= 0) {
    sync_file(old_fd);
    ::close(old_fd);
    if (old_size == 0) ::unlink((options_.directory / old_name).c_str());
  }
  synced_ = size_;
  day_ = day;
  part_ = part;
  opened_ms_ = now.now_ms;
  return {};
}

/// Cuts off what follows the last whole record: the batch it belongs to will be written again.
result<void> journal_file::repair() {
  const auto& end = options_.record_end;
  char block[65'536];
  auto at = size_;
  std::uint64_t good = 0;
  while (at > 0 && good == 0) {
    auto begin = at > sizeof block - end.size() ? at - (sizeof block - end.size()) : 0;
    // Reads a little beyond `at`, so that an end that lies across two blocks is seen.
    auto want = std::min<std::uint64_t>(at - begin + end.size() - 1, size_ - begin);
    auto got = ::pread(fd_, block, want, static_cast<off_t>(begin));
    if (got < 0) return system_error("cannot read the journal", errno, options_.directory / name_);
    auto found = std::string_view{block, static_cast<std::size_t>(got)}.rfind(end);
    if (found != std::string_view::npos) good = begin + found + end.size();
    at = begin;
  }
  if (good == size_) return {};
  if (::ftruncate(fd_, static_cast<off_t>(good)) != 0)
    return system_error("cannot cut off a half record", errno, options_.directory / name_);
  repaired_bytes_ += size_ - good;
  size_ = good;
  return {};
}

result<void> journal_file::link_live() {
  auto dated = options_.directory / name_;
  auto live = options_.directory / (options_.live + "." + options_.extension);
  struct stat a {};
  struct stat b {};
  if (::fstat(fd_, &a) == 0 && ::lstat(live.c_str(), &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev)
    return {};
  auto fresh = live;
  fresh += ".new";
  ::unlink(fresh.c_str());
  // By rename, so that the live name is there at every moment.
  if (::link(dated.c_str(), fresh.c_str()) != 0 || ::rename(fresh.c_str(), live.c_str()) != 0) {
    int number = errno;
    ::unlink(fresh.c_str());
    return system_error("cannot link the journal's live name", number, live);
  }
  return {};
}

result<void> journal_file::rotate_if_due(const journal_time& now) {
  auto day = local_day(now);
  if (day > day_) return open_part(now, day, 0); // a clock that goes back does not go back to an old file
  if (size_ == 0 || part_ >= most_parts) return {};
  auto age_s = (now.now_ms - opened_ms_) / ms_per_second;
  bool by_time = options_.rotate_interval_s > 0 && age_s >= options_.rotate_interval_s;
  bool by_size = options_.rotate_bytes > 0 && size_ > static_cast<std::uint64_t>(options_.rotate_bytes)
                 && age_s >= options_.min_rotate_interval_s;
  if (by_time || by_size) return open_part(now, day_, part_ + 1);
  return {};
}

result<void> journal_file::append(std::string_view records, const journal_time& now) {
  if (auto rotated = rotate_if_due(now); !rotated) return rotated;
  if (records.empty()) return {};
  auto wrote = write_all(fd_, records);
  if (wrote.done()) {
    size_ += wrote.bytes;
    return {};
  }
  if (wrote.bytes > 0 && ::ftruncate(fd_, static_cast<off_t>(size_)) != 0)
    return system_error("cannot take back a half-written record", errno, options_.directory / name_);
  return system_error("cannot write to the journal", wrote.error_number, options_.directory / name_);
}

result<void> journal_file::take_back(std::uint64_t to_size) {
  if (to_size >= size_) return {};
  if (::ftruncate(fd_, static_cast<off_t>(to_size)) != 0)
    return system_error("cannot take back records", errno, options_.directory / name_);
  size_ = to_size;
  synced_ = std::min(synced_, to_size);
  return {};
}

result<void> journal_file::sync() {
  if (synced_ == size_) return {};
  if (int number = sync_file(fd_); number != 0)
    return system_error("cannot force the journal to the disk", number, options_.directory / name_);
  synced_ = size_;
  return {};
}

journal_position journal_file::end() const {
  journal_position position;
  position.file = name_;
  position.offset = size_;
  return position;
}

journal_position journal_file::durable() const {
  auto position = end();
  position.offset = synced_;
  return position;
}

} // namespace picket::store
