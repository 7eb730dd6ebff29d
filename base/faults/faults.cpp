#include "base/faults/faults.hpp"

#if PICKET_FAULTS

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#include "base/telemetry/event_log.hpp"

namespace picket::faults {

namespace {

struct row {
  std::string_view name;
  bool is_text;
};

/// In the order of the enumeration.
constexpr std::array<row, 12> rows{{{"sink-stopped", false},
                                    {"sink-slow-ms", false},
                                    {"executor-sleep-ms", false},
                                    {"disk-error-nth", false},
                                    {"disk-full", false},
                                    {"disk-read-only", false},
                                    {"short-write", false},
                                    {"sync-error", false},
                                    {"disk-read-error", false},
                                    {"clock-offset-ms", false},
                                    {"crash-on", true},
                                    {"throw-on", true}}};

struct table {
  std::array<std::atomic<std::int64_t>, rows.size()> numbers{};
  std::atomic<std::uint64_t> writes{0};
  std::mutex mutex;
  std::condition_variable changed;
  // Under the mutex:
  std::array<std::string, rows.size()> texts;
  std::shared_ptr<event_log> log;
};

/// Never destroyed: threads may ask until the process is gone.
table& all() {
  static auto* one = new table;
  return *one;
}

std::size_t place(fault which) { return static_cast<std::size_t>(which); }

std::string names() {
  std::string text;
  for (const auto& one : rows)
    text.append(text.empty() ? "" : ", ").append(one.name);
  return text;
}

bool hits(fault which, std::string_view text) {
  if (value(which) == 0) return false;
  std::lock_guard lock{all().mutex};
  const auto& wanted = all().texts[place(which)];
  return !wanted.empty() && text.find(wanted) != std::string_view::npos;
}

} // namespace

std::int64_t value(fault which) noexcept {
  return all().numbers[place(which)].load(std::memory_order_relaxed);
}

result<void> set(std::string_view name, std::string_view wanted) {
  std::size_t at = 0;
  while (at < rows.size() && rows[at].name != name)
    ++at;
  if (at == rows.size())
    return fail(errc::fault_unknown, "there is no fault '" + std::string{name.substr(0, 80)} + "'", {},
                "Use one of: " + names());
  bool off = wanted.empty() || wanted == "off";
  std::int64_t number = off ? 0 : 1;
  if (!off && !rows[at].is_text) {
    auto [end, problem] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
    if (problem != std::errc{} || end != wanted.data() + wanted.size())
      return fail(errc::invalid_argument,
                  std::string{name} + " takes a number, not '" + std::string{wanted.substr(0, 80)} + "'");
  }
  std::shared_ptr<event_log> log;
  {
    std::lock_guard lock{all().mutex};
    all().texts[at] = off ? std::string{} : std::string{wanted};
    all().numbers[at] = number;
    log = all().log;
  }
  all().changed.notify_all();
  if (log)
    log->write(log_event::fault_set, {{"name", name}, {"value", off ? std::string_view{"off"} : wanted}});
  return {};
}

result<void> begin(std::string_view text, std::shared_ptr<event_log> log) {
  {
    std::lock_guard lock{all().mutex};
    all().log = std::move(log);
  }
  for (std::size_t from = 0; from < text.size();) {
    auto to = std::min(text.find(',', from), text.size());
    auto one = text.substr(from, to - from);
    auto equals = std::min(one.find('='), one.size());
    auto wanted = equals == one.size() ? std::string_view{"1"} : one.substr(equals + 1);
    if (auto done = set(one.substr(0, equals), wanted); !done) return done;
    from = to + 1;
  }
  return {};
}

result<void> begin_from_environment(std::shared_ptr<event_log> log) {
  const char* text = std::getenv("PICKET_FAULTS");
  return begin(text == nullptr ? "" : text, std::move(log));
}

void clear_all() {
  for (const auto& one : rows)
    static_cast<void>(set(one.name, "off"));
}

std::vector<setting> list() {
  std::lock_guard lock{all().mutex};
  std::vector<setting> found;
  for (std::size_t i = 0; i < rows.size(); ++i)
    found.push_back({std::string{rows[i].name}, all().texts[i]});
  return found;
}

std::string as_text() {
  std::string text;
  for (const auto& one : list())
    if (!one.value.empty()) text += (text.empty() ? "" : ",") + one.name + "=" + one.value;
  return text;
}

void pause(fault which) {
  auto wait_ms = value(which);
  if (wait_ms <= 0) return;
  std::unique_lock lock{all().mutex};
  all().changed.wait_for(lock, std::chrono::milliseconds{wait_ms}, [&] { return value(which) != wait_ms; });
}

void hold(fault which) {
  if (value(which) == 0) return;
  std::unique_lock lock{all().mutex};
  all().changed.wait(lock, [&] { return value(which) == 0; });
}

ssize_t write(int fd, const void* bytes, std::size_t size) noexcept {
  auto nth = value(fault::disk_error_nth);
  if (value(fault::disk_full) != 0)
    errno = ENOSPC;
  else if (value(fault::disk_read_only) != 0)
    errno = EROFS;
  else if (nth > 0 && (all().writes.fetch_add(1) + 1) % static_cast<std::uint64_t>(nth) == 0)
    errno = EIO;
  else
    return ::write(fd, bytes, value(fault::short_write) != 0 ? (size + 1) / 2 : size);
  return -1;
}

ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept {
  if (value(fault::disk_read_error) == 0) return ::pread(fd, into, size, offset);
  errno = EIO;
  return -1;
}

int sync(int fd) noexcept {
  if (value(fault::sync_error) == 0) return ::fdatasync(fd);
  errno = EIO;
  return -1;
}

int open(const char* path, int flags, unsigned mode) noexcept {
  bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0;
  if (!writes || value(fault::disk_read_only) == 0) return ::open(path, flags, mode);
  errno = EROFS;
  return -1;
}

void on_event(std::string_view text) {
  if (hits(fault::crash_on, text)) std::abort();
  if (hits(fault::throw_on, text)) throw std::runtime_error{"a fault that was asked for"};
}

} // namespace picket::faults

#endif
