#include "store/journal/journal_file.hpp"

#include "store/journal/record_end.hpp"

#include <algorithm>
#include <cerrno>
#include <unordered_set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/faults/faults.hpp"

namespace picket::store {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t ms_per_second = 1'000;
constexpr unsigned most_parts = 9'999;
constexpr std::size_t most_notices = 32;
constexpr unsigned failures_a_notice = 60;

int open_for_append(const fs::path& path) {
  return faults::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
}

/// Writes all or says why not.
result<void> append_all(disk_calls& disk, int fd, std::string_view bytes, const fs::path& where) {
  while (!bytes.empty()) {
    auto written = disk.append(fd, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return disk_error("cannot write to the journal", written == 0 ? EIO : errno, where);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

} // namespace

std::string_view name_of(new_file why) noexcept {
  switch (why) {
  case new_file::first:
  case new_file::day:
    return "day";
  case new_file::size:
    return "size";
  case new_file::interval:
    return "interval";
  case new_file::clock:
    return "clock";
  case new_file::replaced:
    return "replaced";
  }
  return "day";
}

journal_file::journal_file(journal_file&& other) noexcept { *this = std::move(other); }

journal_file& journal_file::operator=(journal_file&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  options_ = std::move(other.options_);
  order_ = std::move(other.order_);
  fd_ = std::exchange(other.fd_, -1);
  name_ = std::move(other.name_);
  part_ = other.part_;
  seen_day_ = other.seen_day_;
  opened_ms_ = other.opened_ms_;
  now_ = other.now_;
  size_ = other.size_;
  synced_ = other.synced_;
  kept_ = std::move(other.kept_);
  taken_ = other.taken_;
  doubtful_ = other.doubtful_;
  names_synced_ = other.names_synced_;
  live_stale_ = other.live_stale_;
  failed_rotations_ = other.failed_rotations_;
  syncs_ = other.syncs_;
  notices_ = std::move(other.notices_);
  return *this;
}

journal_file::~journal_file() {
  if (fd_ >= 0) ::close(fd_);
}

void journal_file::note(journal_notice notice) {
  if (notices_.size() >= most_notices) notices_.erase(notices_.begin());
  notices_.push_back(std::move(notice));
}

result<journal_file> journal_file::open(const journal_file_options& options, const journal_time& now) {
  journal_file file;
  file.options_ = options;
  file.now_ = now;
  const auto& output = options.output;
  auto today = local_day(now);
  file.seen_day_ = today;
  if (auto made = make_durable_directories(output.directory); !made) return tl::unexpected(made.error());
  auto order = journal_order::read(output);
  if (!order) return tl::unexpected(order.error());
  file.order_ = std::make_unique<journal_order>(std::move(*order));
  if (auto done = file.adopt_unlisted(today); !done) return tl::unexpected(done.error());
  auto last = file.order_->names().empty() ? std::string{} : file.order_->names().back();
  auto part = parse_part_name(output, last);
  std::error_code problem;
  if (part && !fs::exists(output.directory / last, problem)) part.reset();
  bool stays = part && (part->day == today || part->day == today + 1);
  result<void> done;
  if (stays) {
    done = file.continue_with(last, now);
    if (done && options.rotate_bytes > 0 && file.size_ > options.rotate_bytes)
      done = file.begin(file.day_at(now), now, new_file::size);
  } else {
    // Of another day: nothing depends on whether it can be mended.
    if (part) file.mend_left(last);
    bool back = part && part->day > today;
    done = file.begin(today, now, back ? new_file::clock : new_file::first);
  }
  if (done && file.live_stale_) done = file.link_live();
  if (!done) return tl::unexpected(done.error());
  file.live_stale_ = false;
  return file;
}

/// Files that are not in the list but behind its end: of an older version, or the list lost its last lines.
result<void> journal_file::adopt_unlisted(std::int64_t today) {
  const auto& names = order_->names();
  std::optional<journal_part> last;
  if (!names.empty()) last = parse_part_name(options_.output, names.back());
  std::unordered_set<std::string> listed{names.begin(), names.end()};
  std::vector<std::string> unlisted;
  for (auto& name : list_parts(options_.output)) {
    auto part = parse_part_name(options_.output, name);
    if (part && part->day <= today + 1 && (!last || *last < *part) && listed.count(name) == 0)
      unlisted.push_back(std::move(name));
  }
  return unlisted.empty() ? result<void>{} : order_->adopt(unlisted, *options_.disk);
}

result<void> journal_file::continue_with(const std::string& name, const journal_time& now) {
  auto path = options_.output.directory / name;
  int fd = open_for_append(path);
  if (fd < 0) return disk_error("cannot open the journal", errno, path);
  fd_ = fd;
  struct stat info {};
  if (::fstat(fd, &info) != 0) return disk_error("cannot look at the journal", errno, path);
  auto size = static_cast<std::uint64_t>(info.st_size);
  if (auto mended = mend(fd, name, size); !mended) return mended;
  name_ = name;
  part_ = parse_part_name(options_.output, name).value_or(journal_part{});
  size_ = synced_ = size;
  opened_ms_ = now.now_ms;
  names_synced_ = false;
  live_stale_ = true;
  return {};
}

void journal_file::mend_left(const std::string& name) {
  int fd = ::open((options_.output.directory / name).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return;
  struct stat info {};
  auto size = ::fstat(fd, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  if (mend(fd, name, size)) options_.disk->sync(fd);
  ::close(fd);
}

/// Cuts off what follows the last whole record: the batch it belongs to will be written again.
result<void> journal_file::mend(int fd, const std::string& name, std::uint64_t& size) {
  auto path = options_.output.directory / name;
  auto good = last_record_end(fd, size, options_.output.record_end);
  if (!good) return disk_error("cannot read the journal", good.error(), path);
  if (*good == size) return {};
  if (options_.disk->truncate(fd, static_cast<off_t>(*good)) != 0)
    return disk_error("cannot cut off a half record", errno, path);
  note({journal_notice::kind::repaired, name, size - *good, new_file::first, {}});
  size = *good;
  return {};
}

/// The day that a file begun now gets: a clock that is behind by no more than a day does not go back to it.
std::int64_t journal_file::day_at(const journal_time& now) const {
  auto today = local_day(now);
  return today == part_.day - 1 ? part_.day : today;
}

std::optional<new_file> journal_file::due(const journal_time& now) {
  auto today = local_day(now);
  if (today > part_.day) return new_file::day;
  if (today < part_.day - 1) return new_file::clock;
  if (now.now_ms < opened_ms_) opened_ms_ = now.now_ms; // it went back: intervals begin anew
  auto age_s = (now.now_ms - opened_ms_) / ms_per_second;
  bool again = seen_day_ < part_.day && today == part_.day;
  if (again && size_ > 0 && age_s >= options_.min_rotate_interval_s) return new_file::day;
  seen_day_ = today;
  if (size_ == 0) return std::nullopt;
  if (options_.rotate_interval_s > 0 && age_s >= options_.rotate_interval_s) return new_file::interval;
  bool large = options_.rotate_bytes > 0 && size_ > options_.rotate_bytes;
  if (large && age_s >= options_.min_rotate_interval_s) return new_file::size;
  return std::nullopt;
}

/// A name that no file of the journal has or had: a position must never come to mean another place.
result<std::string> journal_file::next_name(std::int64_t day) const {
  const auto& output = options_.output;
  auto on_disk = greatest_part_on_disk(output, day);
  auto listed = order_->greatest_part(output, day);
  if (!on_disk && !listed) return part_name(output, {day, 0});
  auto greatest = std::max(on_disk.value_or(0), listed.value_or(0));
  // An attempt that failed has left it behind, empty.
  auto left_behind = part_name(output, {day, greatest});
  struct stat info {};
  if (left_behind != name_ && !order_->has(left_behind)
      && ::lstat((output.directory / left_behind).c_str(), &info) == 0 && S_ISREG(info.st_mode)
      && info.st_size == 0)
    return left_behind;
  if (greatest >= most_parts)
    return fail(errc::limit_reached, "the day has as many parts as a day may have",
                (output.directory / left_behind).string(), "raise journal.rotate_bytes");
  return part_name(output, {day, greatest + 1});
}

result<void> journal_file::begin(std::int64_t day, const journal_time& now, new_file why) {
  auto name = next_name(day);
  if (!name) return tl::unexpected(name.error());
  auto path = options_.output.directory / *name;
  if (auto made = make_durable_directories(path.parent_path()); !made) return made;
  int fd = open_for_append(path);
  if (fd < 0) return disk_error("cannot open the journal", errno, path);
  std::string carried;
  result<void> ready;
  if (fd_ >= 0) ready = leave_old(fd, why, carried);
  // From here on readers leave the old file when they have read it.
  if (ready) ready = order_->append(*name, *options_.disk);
  if (!ready) {
    if (!carried.empty() && options_.disk->truncate(fd, 0) != 0) ::unlink(path.c_str());
    ::close(fd);
    return ready;
  }
  if (fd_ >= 0) {
    ::close(fd_);
    if (size_ == 0 && why != new_file::replaced) ::unlink((options_.output.directory / name_).c_str());
  }
  fd_ = fd;
  name_ = *name;
  part_ = {day, parse_part_name(options_.output, *name)->part};
  seen_day_ = local_day(now);
  opened_ms_ = now.now_ms;
  kept_ = std::move(carried);
  size_ = kept_.size();
  synced_ = 0;
  taken_ = 0;
  doubtful_ = false;
  names_synced_ = false;
  live_stale_ = true;
  failed_rotations_ = 0;
  note({journal_notice::kind::begun, name_, 0, why, {}});
  if (link_live()) live_stale_ = false; // else at the next look
  return {};
}

result<void> journal_file::leave_old(int into, new_file why, std::string& carried) {
  bool lost_place = doubtful_ && !interference().empty();
  result<void> safe;
  if (lost_place)
    safe = disk_error("cannot write the journal again", EIO, options_.output.directory / name_);
  else
    safe = sync();
  if (safe || why != new_file::replaced) return safe;
  // Somebody took the file away and its disk does not do its part: what it may lack goes into the new one.
  carried = kept_.substr(0, kept_.size() - taken_);
  return append_all(*options_.disk, into, carried, options_.output.directory / name_);
}

result<void> journal_file::link_live() const {
  auto dated = options_.output.directory / name_;
  auto live = options_.output.live_file();
  struct stat ours {};
  struct stat theirs {};
  if (::fstat(fd_, &ours) == 0 && ::lstat(live.c_str(), &theirs) == 0 && same_file(ours, theirs)) return {};
  auto fresh = live;
  fresh += ".new";
  ::unlink(fresh.c_str());
  // By rename, so that the live name is there at every moment.
  if (::link(dated.c_str(), fresh.c_str()) != 0 || ::rename(fresh.c_str(), live.c_str()) != 0) {
    int number = errno;
    ::unlink(fresh.c_str());
    return disk_error("cannot link the journal's live name", number, live);
  }
  return {};
}

void journal_file::rotate_if_due(const journal_time& now, bool again) {
  now_ = now;
  if (half_written() || (failed_rotations_ > 0 && !again)) return;
  if (live_stale_ && link_live()) live_stale_ = false;
  auto why = due(now);
  if (!why) return;
  auto begun = begin(day_at(now), now, *why);
  if (begun) return;
  if (failed_rotations_++ % failures_a_notice == 0)
    note({journal_notice::kind::not_rotated, name_, 0, *why, begun.error()});
}

std::string journal_file::interference() const {
  struct stat ours {};
  struct stat theirs {};
  if (::fstat(fd_, &ours) != 0) return {};
  if (static_cast<std::uint64_t>(ours.st_size) < size_) return "it was cut";
  if (static_cast<std::uint64_t>(ours.st_size) > size_) return "somebody else wrote to it";
  auto taken_away = [&](const fs::path& path) {
    if (::lstat(path.c_str(), &theirs) != 0) return errno == ENOENT;
    return !same_file(ours, theirs);
  };
  if (taken_away(options_.output.directory / name_)) return "it was moved or removed";
  if (!live_stale_ && taken_away(options_.output.live_file())) return "its live name was moved or removed";
  return {};
}

result<void> journal_file::mind_place(const journal_time& now) {
  auto what = interference();
  if (what.empty()) return {};
  auto old = name_;
  if (auto begun = begin(day_at(now), now, new_file::replaced); !begun) return begun;
  note({journal_notice::kind::replaced,
        old,
        0,
        new_file::replaced,
        {errc::io, what, (options_.output.directory / old).string(), {}}});
  return {};
}

result<void> journal_file::append(std::string_view records, const journal_time& now) {
  rotate_if_due(now, false);
  if (records.empty()) return {};
  if (auto minded = mind_place(now); !minded) return minded;
  if (records.size() < taken_)
    return fail(errc::internal, "other records than those that are half written", name_);
  if (kept_.size() > taken_ && kept_.size() + records.size() > options_.unsynced_limit_bytes)
    if (auto synced = sync(); !synced) return synced;
  while (taken_ < records.size()) {
    auto written = options_.disk->append(fd_, records.substr(taken_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return disk_error("cannot write to the journal", written == 0 ? EIO : errno,
                        options_.output.directory / name_);
    auto count = static_cast<std::size_t>(written);
    kept_.append(records.substr(taken_, count));
    size_ += count;
    taken_ += count;
  }
  taken_ = 0;
  return {};
}

/// The kernel has taken the pages for clean after it reported the failure, and may have dropped them: only
/// what is written again is written.
result<void> journal_file::write_again() {
  auto offset = size_ - kept_.size();
  for (std::string_view rest = kept_; !rest.empty();) {
    auto written = options_.disk->write_at(fd_, rest, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      return disk_error("cannot write the journal again", written == 0 ? EIO : errno,
                        options_.output.directory / name_);
    rest.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

result<void> journal_file::sync_names() {
  const auto& output = options_.output;
  if (auto synced = sync_directory((output.directory / name_).parent_path()); !synced) return synced;
  if (auto synced = sync_directory(output.directory); !synced) return synced;
  names_synced_ = true;
  return {};
}

result<void> journal_file::sync() {
  if (synced_ == size_ && !doubtful_) return {};
  if (doubtful_)
    if (auto minded = mind_place(now_); !minded) return minded;
  if (doubtful_) // it is where it was
    if (auto again = write_again(); !again) return again;
  if (options_.disk->sync(fd_) != 0) {
    doubtful_ = true;
    return disk_error("cannot force the journal to the disk", errno, options_.output.directory / name_);
  }
  if (!names_synced_)
    if (auto synced = sync_names(); !synced) return synced;
  ++syncs_;
  synced_ = size_;
  doubtful_ = false;
  kept_.erase(0, kept_.size() - taken_);
  return {};
}

journal_position journal_file::end() const { return {name_, size_}; }
journal_position journal_file::durable() const { return {name_, synced_}; }

} // namespace picket::store
