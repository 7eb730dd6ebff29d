#include "node/picketctl/key_file.hpp"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

namespace picket::ctl {

namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

} // namespace

result<void> write_private_file(const std::string& path, std::string_view bytes) {
  auto temporary = path + ".new";
  ::unlink(temporary.c_str());
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail(errc::io, "cannot write: " + system_text(errno), path,
                "name a file in a directory that you may write");
  bool fine = write_all(fd, bytes) && ::fdatasync(fd) == 0;
  int problem = errno;
  ::close(fd);
  if (fine && ::rename(temporary.c_str(), path.c_str()) != 0) {
    problem = errno;
    fine = false;
  }
  if (fine) return {};
  ::unlink(temporary.c_str());
  return fail(errc::io, "cannot write: " + system_text(problem), path,
              "look at the disk and the directory's mode");
}

} // namespace picket::ctl
