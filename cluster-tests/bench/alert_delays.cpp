#include "cluster-tests/bench/alert_delays.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <ctime>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::bench {

namespace {

constexpr std::uint64_t most_lines = 100'000'000;
constexpr std::size_t block_bytes = 1U << 18U;

} // namespace

std::int64_t steady_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

std::int64_t quantile(const std::vector<std::int64_t>& sorted, double p) {
  if (sorted.empty()) return 0;
  auto rank = std::ceil(p * static_cast<double>(sorted.size()));
  auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

alert_delays::alert_delays(std::string run)
    : mark_{" picketsim=" + std::move(run) + ":"} {}

void alert_delays::sent(const std::string& agent, std::uint64_t number, std::int64_t now_ns) {
  if (number == 0 || number > most_lines) return;
  std::lock_guard lock{mutex_};
  auto& lines = agents_[agent];
  if (lines.size() < number) lines.resize(number);
  if (lines[number - 1].sent_ns == 0) ++sent_;
  lines[number - 1].sent_ns = now_ns;
}

void alert_delays::seen(std::string_view lines, std::int64_t now_ns) {
  for (auto at = lines.find(mark_); at != std::string_view::npos; at = lines.find(mark_, at)) {
    at += mark_.size();
    auto colon = lines.find(':', at);
    if (colon == std::string_view::npos) return;
    std::uint64_t number = 0;
    std::from_chars(lines.data() + colon + 1, lines.data() + lines.size(), number);
    std::lock_guard lock{mutex_};
    auto agent = agents_.find(lines.substr(at, colon - at));
    if (agent == agents_.end() || number == 0 || number > agent->second.size()) continue;
    auto& line = agent->second[number - 1];
    if (line.seen_ns != 0) continue;
    line.seen_ns = now_ns;
    ++seen_;
  }
}

std::uint64_t alert_delays::sent_count() const {
  std::lock_guard lock{mutex_};
  return sent_;
}

std::uint64_t alert_delays::seen_count() const {
  std::lock_guard lock{mutex_};
  return seen_;
}

std::vector<std::int64_t> alert_delays::delays_ns(std::int64_t from_ns) const {
  std::vector<std::int64_t> all;
  std::lock_guard lock{mutex_};
  for (const auto& [agent, lines] : agents_)
    for (const auto& line : lines)
      if (line.seen_ns != 0 && line.sent_ns >= from_ns) all.push_back(line.seen_ns - line.sent_ns);
  std::sort(all.begin(), all.end());
  return all;
}

growing_file::growing_file(std::filesystem::path file)
    : file_{std::move(file)}
    , notify_{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)} {
  reopen();
}

growing_file::~growing_file() {
  if (fd_ >= 0) ::close(fd_);
  if (notify_ >= 0) ::close(notify_);
}

void growing_file::reopen() {
  struct stat now {};
  if (::stat(file_.c_str(), &now) != 0 || (fd_ >= 0 && now.st_ino == inode_)) return;
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) return;
  inode_ = now.st_ino;
  ::inotify_add_watch(notify_, file_.c_str(), IN_MODIFY);
}

bool growing_file::read_block() {
  if (fd_ < 0) return false;
  auto before = buffer_.size();
  buffer_.resize(before + block_bytes);
  auto got = ::read(fd_, buffer_.data() + before, block_bytes);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return got > 0;
}

std::string_view growing_file::read(int limit_ms) {
  buffer_.erase(0, given_);
  given_ = 0;
  if (!read_block()) {
    pollfd wait{notify_, POLLIN, 0};
    ::poll(&wait, 1, limit_ms);
    char events[4'096];
    while (::read(notify_, events, sizeof events) > 0) {
    }
    if (!read_block()) reopen();
  }
  auto end = buffer_.rfind('\n');
  if (end == std::string::npos) return {};
  given_ = end + 1;
  return std::string_view{buffer_}.substr(0, given_);
}

} // namespace picket::bench
