#include "store/file_write.hpp"

#include <cerrno>

#include "base/faults/faults.hpp"

namespace picket::store {

write_outcome write_all(int fd, std::string_view bytes) noexcept {
  write_outcome outcome;
  while (outcome.bytes < bytes.size()) {
    auto n = faults::write(fd, bytes.data() + outcome.bytes, bytes.size() - outcome.bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      outcome.error_number = n == 0 ? EIO : errno;
      break;
    }
    outcome.bytes += static_cast<std::size_t>(n);
  }
  return outcome;
}

int sync_file(int fd) noexcept { return faults::sync(fd) == 0 ? 0 : errno; }

int open_file(const char* path, int flags, unsigned mode) noexcept {
  return faults::open(path, flags | O_CLOEXEC, mode);
}

} // namespace picket::store
