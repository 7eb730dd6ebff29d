#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <memory>
#include <string_view>

#include <sys/types.h>

namespace picket::store {

/// The calls by which the journal reaches the disk, as the system makes them: values and errno are the
/// system's. Tests derive full, failing and forgetful disks from it.
class disk_calls {
public:
  virtual ~disk_calls() = default;
  /// At the end of the file.
  virtual ssize_t append(int fd, std::string_view bytes);
  /// At this place, of a file that is open for appending.
  virtual ssize_t write_at(int fd, std::string_view bytes, off_t offset);
  /// Data, and what is needed to find it again, to the disk.
  virtual int sync(int fd);
  virtual int truncate(int fd, off_t size);

  static std::shared_ptr<disk_calls> system();
};

/// disk_full, permission or io, by the system's number.
tl::unexpected<error> disk_error(const char* doing, int number, const std::filesystem::path& where);

/// Makes the directory and those above it (mode 0750); each that holds a new one is forced to the disk.
result<void> make_durable_directories(const std::filesystem::path& directory);
/// Names in the directory are on the disk behind this. A file system that cannot do it is taken as it is.
result<void> sync_directory(const std::filesystem::path& directory);

} // namespace picket::store
