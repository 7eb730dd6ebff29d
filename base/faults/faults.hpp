#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.hpp"
#include "picket_build.hpp"

namespace picket {
class event_log;
}

/// Named faults for tests: a slow disk, a sink that stands still, a line that crashes the analysis. Only in
/// builds with `PICKET_FAULTS`; in all others each function here is empty and vanishes where it is called.

namespace picket::faults {

/// Their names in texts have hyphens: `disk_error_nth` is `disk-error-nth`.
enum class fault : std::uint8_t {
  sink_stopped,      ///< 1: the alert sink writes nothing until it is off
  sink_slow_ms,      ///< each write of the alert sink waits so long
  executor_sleep_ms, ///< an executor waits so long before each batch
  disk_error_nth,    ///< every n-th write of journal, overflow and dead letters fails with EIO
  disk_full,         ///< 1: each of those writes fails with ENOSPC
  disk_read_only,    ///< 1: each of those writes, and opening for writing, fails with EROFS
  short_write,       ///< 1: each of those writes takes half of what it is given
  sync_error,        ///< 1: forcing to the disk fails with EIO
  disk_read_error,   ///< 1: reading overflow files fails with EIO
  clock_offset_ms,   ///< added to the wall clock; may be negative
  crash_on,          ///< text: the process aborts when an event with it is evaluated
  throw_on           ///< text: the executor's actor throws then
};

#if PICKET_FAULTS

inline constexpr bool built_in = true;

/// Switches on what `text` (`name=value,name=value`) says; every change from now on goes to the log.
/// Errors: fault_unknown, invalid_argument.
result<void> begin(std::string_view text, std::shared_ptr<event_log> log);

/// The same with the text of the variable PICKET_FAULTS.
result<void> begin_from_environment(std::shared_ptr<event_log> log);

/// Errors: fault_unknown (the text lists the names), invalid_argument (no number). An empty value and `off`
/// switch it off.
result<void> set(std::string_view name, std::string_view wanted);
void clear_all();

struct setting {
  std::string name;
  std::string value; ///< empty: off
};
/// All faults, in the order above.
std::vector<setting> list();
/// Those that are on, as `begin` takes them: for a child process.
std::string as_text();

/// A fault's number; 0: off.
std::int64_t value(fault which) noexcept;
/// Waits as many milliseconds as the fault says, or until it is changed.
void pause(fault which);
/// Waits until the fault is off.
void hold(fault which);

/// `write(2)`, `pread(2)`, `fdatasync(2)` and `open(2)` as the faults of the disk let them.
ssize_t write(int fd, const void* bytes, std::size_t size) noexcept;
ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept;
int sync(int fd) noexcept;
int open(const char* path, int flags, unsigned mode) noexcept;

/// What the evaluation of an event with this text comes to: an abort, an exception, or nothing.
void on_event(std::string_view text);

#else

inline constexpr bool built_in = false;

inline result<void> begin_from_environment(const std::shared_ptr<event_log>&) { return {}; }
inline std::string as_text() { return {}; }
constexpr std::int64_t value(fault) noexcept { return 0; }
inline void pause(fault) {}
inline void hold(fault) {}
inline ssize_t write(int fd, const void* bytes, std::size_t size) noexcept {
  return ::write(fd, bytes, size);
}
inline ssize_t pread(int fd, void* into, std::size_t size, off_t offset) noexcept {
  return ::pread(fd, into, size, offset);
}
inline int sync(int fd) noexcept { return ::fdatasync(fd); }
inline int open(const char* path, int flags, unsigned mode) noexcept { return ::open(path, flags, mode); }
inline void on_event(std::string_view) {}

#endif

} // namespace picket::faults
