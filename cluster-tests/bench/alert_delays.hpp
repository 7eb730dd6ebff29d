#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace picket::bench {

/// The time from the sending of numbered lines to the moment at which a reader of alerts.json sees them.
/// Both ends are read from the same steady clock. Thread-safe.
class alert_delays {
public:
  /// @param run the mark of this run's numbers (agentsim/lines.hpp)
  explicit alert_delays(std::string run);

  void sent(const std::string& agent, std::uint64_t number, std::int64_t now_ns);
  /// Finds the numbers of this run in text of the file. Only whole lines are to be given.
  void seen(std::string_view lines, std::int64_t now_ns);

  std::uint64_t sent_count() const;
  std::uint64_t seen_count() const;
  /// Delays of lines that were sent at `from_ns` or later and seen, sorted.
  std::vector<std::int64_t> delays_ns(std::int64_t from_ns) const;

private:
  struct instants {
    std::int64_t sent_ns = 0;
    std::int64_t seen_ns = 0;
  };

  std::string mark_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<instants>, std::less<>> agents_; ///< by number - 1
  std::uint64_t sent_ = 0;
  std::uint64_t seen_ = 0;
};

/// Reads what is appended to a file as soon as it is there. The file may not exist yet, and may be replaced.
class growing_file {
public:
  explicit growing_file(std::filesystem::path file);
  growing_file(const growing_file&) = delete;
  growing_file& operator=(const growing_file&) = delete;
  ~growing_file();

  /// Whole lines that came since the last call; waits at most `limit_ms` for the first. Empty: none came.
  std::string_view read(int limit_ms);

private:
  void reopen();
  bool read_block();

  std::filesystem::path file_;
  int fd_ = -1;
  int notify_ = -1;
  std::uint64_t inode_ = 0;
  std::string buffer_;
  std::size_t given_ = 0;
};

/// The p-th part of sorted values, 0 <= p <= 1; 0 if there are none.
std::int64_t quantile(const std::vector<std::int64_t>& sorted, double p);

std::int64_t steady_ns();

} // namespace picket::bench
