#pragma once

#include <cstddef>
#include <string_view>

/// How stores write to files: every write that tests must be able to spoil goes through here.

namespace picket::store {

struct write_outcome {
  std::size_t bytes = 0; ///< written before the error
  int error_number = 0;  ///< errno; 0: all is written
  bool done() const noexcept { return error_number == 0; }
};

/// Writes all, in several calls if need be.
write_outcome write_all(int fd, std::string_view bytes) noexcept;

/// Forces the file's bytes to the disk. 0, or errno.
int sync_file(int fd) noexcept;

/// `open(2)`, close-on-exec. A descriptor, or -1 and errno.
int open_file(const char* path, int flags, unsigned mode) noexcept;

} // namespace picket::store
