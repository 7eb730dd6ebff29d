#include "node/picketd/process_figures.hpp"

#include <cstdio>
#include <filesystem>
#include <mutex>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.hpp"

namespace picket {

namespace {

/// Counting descriptors one by one costs milliseconds where there are ten thousand: not more often than this.
constexpr std::int64_t count_every_ms = 10'000;

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double resident_bytes() {
  auto* file = std::fopen("/proc/self/statm", "re");
  if (file == nullptr) return 0;
  long total = 0;
  long resident = 0;
  bool read = std::fscanf(file, "%ld %ld", &total, &resident) == 2;
  std::fclose(file);
  return read ? static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) : 0;
}

double open_descriptors() {
  struct stat info {};
  // Newer kernels say the number as the size.
  if (::stat("/proc/self/fd", &info) == 0 && info.st_size > 0) return static_cast<double>(info.st_size);
  static std::mutex mutex;
  static std::int64_t counted_ms = -count_every_ms;
  static double count = 0;
  std::lock_guard lock{mutex};
  auto now_ms = steady_clock_ms();
  if (now_ms - counted_ms < count_every_ms) return count;
  counted_ms = now_ms;
  count = 0;
  std::error_code problem;
  for (std::filesystem::directory_iterator at{"/proc/self/fd", problem}, end; !problem && at != end;
       at.increment(problem))
    ++count;
  return count;
}

} // namespace

void show_process(const metrics& counts) {
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) {
    counts.process_cpu_seconds_total.raise_to_for("user", seconds(used.ru_utime));
    counts.process_cpu_seconds_total.raise_to_for("system", seconds(used.ru_stime));
  }
  counts.process_resident_bytes.set(resident_bytes());
  counts.process_open_descriptors.set(open_descriptors());
  rlimit most{};
  if (::getrlimit(RLIMIT_NOFILE, &most) == 0)
    counts.process_max_descriptors.set(static_cast<double>(most.rlim_cur));
}

} // namespace picket
