#include "store/journal/journal_reader.hpp"

#include "store/journal/record_end.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::store {

namespace {

namespace fs = std::filesystem;

/// Changes whenever the list is replaced.
std::string stamp_of(const fs::path& order_file) {
  struct stat info {};
  if (::stat(order_file.c_str(), &info) != 0) return {};
  return std::to_string(info.st_ino) + "." + std::to_string(info.st_size) + "."
         + std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec);
}

} // namespace

journal_reader::journal_reader(journal_reader&& other) noexcept { *this = std::move(other); }

journal_reader& journal_reader::operator=(journal_reader&& other) noexcept {
  if (this == &other) return *this;
  if (fd_ >= 0) ::close(fd_);
  options_ = std::move(other.options_);
  fd_ = std::exchange(other.fd_, -1);
  position_ = std::move(other.position_);
  buffer_ = std::move(other.buffer_);
  skipping_ = other.skipping_;
  left_ = other.left_;
  order_seen_ = std::move(other.order_seen_);
  gaps_ = other.gaps_;
  return *this;
}

journal_reader::~journal_reader() {
  if (fd_ >= 0) ::close(fd_);
}

result<journal_reader> journal_reader::open(const journal_reader_options& options,
                                            const journal_position& from) {
  journal_reader reader{options};
  if (from.file.empty()) return reader;
  if (!parse_part_name(options.output, from.file))
    return fail(errc::invalid_argument, "the position is none of this output: " + to_text(from),
                options.output.order_file().string(), "remove the cursor, or let it begin anew");
  if (auto opened = reader.open_file(from.file, from.offset); !opened) return tl::unexpected(opened.error());
  if (reader.fd_ < 0 && from.offset > 0) ++reader.gaps_.missing_files;
  return reader;
}

/// A file that is not there leaves the reader without one, at this name.
result<void> journal_reader::open_file(const std::string& name, std::uint64_t offset) {
  auto path = options_.output.directory / name;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 && errno != ENOENT) return disk_error("cannot open the journal", errno, path);
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
  skipping_ = false;
  left_ = false;
  order_seen_.clear();
  position_ = {name, offset};
  if (fd < 0 || offset == 0) return {};
  struct stat info {};
  if (::fstat(fd, &info) != 0) return disk_error("cannot look at the journal", errno, path);
  auto size = static_cast<std::uint64_t>(info.st_size);
  auto good = last_record_end(fd, std::min(offset, size), options_.output.record_end);
  if (!good) return disk_error("cannot read the journal", good.error(), path);
  if (*good != offset) ++gaps_.moved_back;
  position_.offset = *good;
  return {};
}

/// The next file that is there; empty: none yet.
result<std::string> journal_reader::following() {
  auto stamp = stamp_of(options_.output.order_file());
  if (!stamp.empty() && stamp == order_seen_) return std::string{};
  auto order = journal_order::read(options_.output);
  if (!order) return tl::unexpected(order.error());
  auto names = order->names();
  if (names.empty()) {
    names = list_parts(options_.output);
    // A writer has begun meanwhile: its list knows the order, the names alone need not tell it.
    if (stamp_of(options_.output.order_file()) != stamp) return following();
  }
  const auto& name = position_.file;
  auto at = names.begin();
  auto listed = std::find(names.rbegin(), names.rend(), name);
  if (listed != names.rend()) {
    at = listed.base();
  } else if (!name.empty()) {
    // The list does not know it any more: by day and part.
    auto own = parse_part_name(options_.output, name);
    at = std::find_if(names.begin(), names.end(), [&](const std::string& one) {
      auto part = parse_part_name(options_.output, one);
      return part && own && *own < *part;
    });
  }
  std::error_code problem;
  while (at != names.end() && !fs::exists(options_.output.directory / *at, problem))
    ++at;
  if (at != names.end()) return *at;
  order_seen_ = stamp;
  return std::string{};
}

result<bool> journal_reader::go_on() {
  auto next = following();
  if (!next) return tl::unexpected(next.error());
  if (next->empty()) return false;
  if (fd_ >= 0 && !left_) {
    // Nothing is written to this one any more, but something may have been since we came to its end.
    left_ = true;
    return true;
  }
  if (fd_ >= 0) gaps_.skipped_bytes += buffer_.size();
  if (auto opened = open_file(*next, 0); !opened) return tl::unexpected(opened.error());
  return true;
}

result<bool> journal_reader::fill(std::size_t bytes) {
  buffer_.resize(bytes);
  ssize_t got = -1;
  do
    got = ::pread(fd_, buffer_.data(), bytes, static_cast<off_t>(position_.offset));
  while (got < 0 && errno == EINTR);
  int number = errno;
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0)
    return disk_error("cannot read the journal", number, options_.output.directory / position_.file);
  if (got == 0)
    if (auto minded = mind_cut(); !minded) return tl::unexpected(minded.error());
  return static_cast<std::size_t>(got) == bytes;
}

result<void> journal_reader::mind_cut() {
  struct stat info {};
  auto path = options_.output.directory / position_.file;
  if (::fstat(fd_, &info) != 0) return disk_error("cannot look at the journal", errno, path);
  auto size = static_cast<std::uint64_t>(info.st_size);
  if (size >= position_.offset) return {};
  auto good = last_record_end(fd_, size, options_.output.record_end);
  if (!good) return disk_error("cannot read the journal", good.error(), path);
  position_.offset = *good;
  ++gaps_.moved_back;
  return {};
}

void journal_reader::skip_long() {
  const auto& end = options_.output.record_end;
  auto found = buffer_.find(end);
  skipping_ = found == std::string::npos;
  // An end may lie across two blocks.
  auto bytes = skipping_ ? buffer_.size() - std::min(buffer_.size(), end.size() - 1) : found + end.size();
  position_.offset += bytes;
  gaps_.skipped_bytes += bytes;
  buffer_.erase(0, bytes);
}

result<std::string_view> journal_reader::read(std::size_t bytes) {
  const auto& end = options_.output.record_end;
  const auto least = std::max<std::size_t>(bytes, end.size());
  auto want = least;
  while (true) {
    bool more = false;
    if (fd_ >= 0) {
      auto filled = fill(want);
      if (!filled) return tl::unexpected(filled.error());
      more = *filled;
      if (!skipping_) {
        auto found = want == least ? buffer_.rfind(end) : buffer_.find(end);
        if (found != std::string::npos) {
          position_.offset += found + end.size();
          return std::string_view{buffer_}.substr(0, found + end.size());
        }
        skipping_ = want > options_.record_limit_bytes;
      }
      bool skipped = skipping_;
      if (skipping_) skip_long();
      if (skipped && !skipping_) more = true; // what follows is fine
      if (more) {
        want = skipped ? least : want * 2;
        continue;
      }
    }
    auto moved = go_on();
    if (!moved) return tl::unexpected(moved.error());
    if (!*moved) return std::string_view{};
  }
}

} // namespace picket::store
