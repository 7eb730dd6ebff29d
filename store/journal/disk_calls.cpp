#include "store/journal/disk_calls.hpp"

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/faults/faults.hpp"

namespace picket::store {

namespace fs = std::filesystem;

ssize_t disk_calls::append(int fd, std::string_view bytes) {
  return faults::write(fd, bytes.data(), bytes.size());
}

ssize_t disk_calls::write_at(int fd, std::string_view bytes, off_t offset) {
  // Linux appends, wherever the file stands, while O_APPEND is set.
  int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags & ~O_APPEND) != 0) return -1;
  ssize_t written = -1;
  if (::lseek(fd, offset, SEEK_SET) == offset) written = faults::write(fd, bytes.data(), bytes.size());
  int number = errno;
  if (::fcntl(fd, F_SETFL, flags) != 0) return -1;
  errno = number;
  return written;
}

int disk_calls::sync(int fd) { return faults::sync(fd); }
int disk_calls::truncate(int fd, off_t size) { return ::ftruncate(fd, size); }

std::shared_ptr<disk_calls> disk_calls::system() {
  static const auto one = std::make_shared<disk_calls>();
  return one;
}

tl::unexpected<error> disk_error(const char* doing, int number, const fs::path& where) {
  auto code = errc::io;
  if (number == ENOSPC || number == EDQUOT || number == EFBIG) code = errc::disk_full;
  if (number == EACCES || number == EPERM || number == EROFS) code = errc::permission;
  return fail(code, std::string{doing} + ": " + system_text(number), where.string());
}

result<void> sync_directory(const fs::path& directory) {
  int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return disk_error("cannot open the journal's directory", errno, directory);
  int done = ::fsync(fd);
  int number = errno;
  ::close(fd);
  if (done != 0 && number != EINVAL && number != ENOTSUP)
    return disk_error("cannot force the journal's directory to the disk", number, directory);
  return {};
}

result<void> make_durable_directories(const fs::path& directory) {
  std::error_code problem;
  std::vector<fs::path> missing;
  for (auto at = directory; !at.empty() && !fs::exists(at, problem); at = at.parent_path())
    missing.push_back(at);
  std::reverse(missing.begin(), missing.end());
  for (const auto& one : missing) {
    if (::mkdir(one.c_str(), 0750) != 0 && errno != EEXIST)
      return disk_error("cannot make the journal's directory", errno, one);
    auto above = one.parent_path().empty() ? fs::path{"."} : one.parent_path();
    if (auto synced = sync_directory(above); !synced) return synced;
  }
  return {};
}

} // namespace picket::store
