#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/journal/disk_calls.hpp"

namespace picket::testing {

/// A disk that fails as it is told, and that behaves as Linux does about what was not forced to it: a sync
/// that fails is reported once, and takes the pages for clean all the same. `lose_power` leaves of each file
/// what really reached the disk.
class faulty_disk final : public store::disk_calls {
public:
  /// Asked before each write: the greatest number of bytes that it takes; 0 with `number` set refuses it.
  std::function<std::size_t(std::size_t bytes, int& number)> on_write;
  /// Asked before each sync: 0, or the number of the error.
  std::function<int()> on_sync;
  /// The same for a truncation.
  std::function<int()> on_truncate;
  unsigned writes = 0;
  unsigned syncs = 0;

  ssize_t append(int fd, std::string_view bytes) override {
    auto size = size_of(fd);
    return put(fd, bytes, size, [&](std::string_view part) { return disk_calls::append(fd, part); });
  }
  ssize_t write_at(int fd, std::string_view bytes, off_t offset) override {
    return put(fd, bytes, offset,
               [&](std::string_view part) { return disk_calls::write_at(fd, part, offset); });
  }
  int sync(int fd) override {
    ++syncs;
    auto& file = file_of(fd);
    auto dirty = std::exchange(file.dirty, {});
    if (int number = on_sync ? on_sync() : 0; number != 0) {
      errno = number;
      return -1;
    }
    auto size = static_cast<std::size_t>(size_of(fd));
    file.platter.resize(size, '\0');
    for (auto [from, to] : dirty) {
      to = std::min(to, static_cast<off_t>(size));
      if (from >= to) continue;
      auto got = ::pread(file.fd, file.platter.data() + from, static_cast<std::size_t>(to - from), from);
      if (got != to - from) return -1;
    }
    return 0;
  }
  int truncate(int fd, off_t size) override {
    if (int number = on_truncate ? on_truncate() : 0; number != 0) {
      errno = number;
      return -1;
    }
    return disk_calls::truncate(fd, size);
  }

  /// Every file that was written holds what reached the disk, and nothing else.
  void lose_power() {
    for (auto& [inode, file] : files_) {
      file.dirty.clear();
      if (::ftruncate(file.fd, 0) != 0 || ::pwrite(file.fd, file.platter.data(), file.platter.size(), 0) < 0)
        continue;
    }
  }

  ~faulty_disk() override {
    for (auto& [inode, file] : files_)
      ::close(file.fd);
  }

private:
  struct tracked {
    int fd = -1; ///< one of our own: the journal's may be closed
    std::string platter;
    std::vector<std::pair<off_t, off_t>> dirty;
  };

  static off_t size_of(int fd) {
    struct stat info {};
    return ::fstat(fd, &info) == 0 ? info.st_size : 0;
  }

  tracked& file_of(int fd) {
    struct stat info {};
    ::fstat(fd, &info);
    auto& found = files_[info.st_ino];
    if (found.fd < 0) {
      auto link = "/proc/self/fd/" + std::to_string(fd);
      found.fd = ::open(link.c_str(), O_RDWR | O_CLOEXEC);
      // What was there before this disk is on it.
      found.platter.resize(static_cast<std::size_t>(info.st_size));
      if (::pread(found.fd, found.platter.data(), found.platter.size(), 0) < 0) found.platter.clear();
    }
    return found;
  }

  template <class Write>
  ssize_t put(int fd, std::string_view bytes, off_t at, Write write) {
    ++writes;
    auto& into = file_of(fd);
    int number = 0;
    auto most = on_write ? on_write(bytes.size(), number) : bytes.size();
    if (most == 0 && number != 0) {
      errno = number;
      return -1;
    }
    auto done = write(bytes.substr(0, most));
    if (done > 0) into.dirty.emplace_back(at, at + done);
    return done;
  }

  std::map<ino_t, tracked> files_;
};

} // namespace picket::testing
