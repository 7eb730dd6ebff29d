#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/testing/scratch_directory.hpp"

namespace picket::testing {

/// A file system of a few KiB of its own, for tests that fill one. Only root may mount: a test asks
/// `mounted()` first and is skipped with `why_not()` otherwise.
class small_disk {
public:
  explicit small_disk(std::uint64_t kib) {
    auto options = "size=" + std::to_string(kib) + "k,mode=0755";
    mounted_ = ::mount("tmpfs", path().c_str(), "tmpfs", 0, options.c_str()) == 0;
    if (!mounted_) number_ = errno;
  }
  ~small_disk() {
    if (mounted_) ::umount2(path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  bool mounted() const noexcept { return mounted_; }
  std::string why_not() const {
    return std::string{"a tmpfs cannot be mounted here (it takes root): "} + std::strerror(number_);
  }
  const std::filesystem::path& path() const { return below_.path(); }

  std::uint64_t free_bytes() const {
    struct statvfs info {};
    return ::statvfs(path().c_str(), &info) == 0 ? std::uint64_t{info.f_bavail} * info.f_frsize : 0;
  }
  /// Leaves about so much room; what takes the rest is in a file of its own.
  void fill_up_to(std::uint64_t left_bytes) const {
    std::ofstream out{ballast(), std::ios::binary | std::ios::app};
    auto free = free_bytes();
    if (free > left_bytes) out << std::string(free - left_bytes, 'x');
  }
  void make_room() const {
    std::error_code ignored;
    std::filesystem::remove(ballast(), ignored);
  }
  bool make_read_only(bool read_only) const {
    unsigned long flags = MS_REMOUNT;
    if (read_only) flags |= MS_RDONLY;
    return ::mount("tmpfs", path().c_str(), "tmpfs", flags, nullptr) == 0;
  }

private:
  std::filesystem::path ballast() const { return path() / "ballast"; }

  scratch_directory below_;
  bool mounted_ = false;
  int number_ = 0;
};

} // namespace picket::testing
