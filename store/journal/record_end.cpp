#include "store/journal/record_end.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace picket::store {

tl::expected<std::uint64_t, int> last_record_end(int fd, std::uint64_t before, std::string_view record_end) {
  char block[65'536];
  auto at = before;
  while (at > 0) {
    auto begin = at > sizeof block - record_end.size() ? at - (sizeof block - record_end.size()) : 0;
    // Reads a little beyond `at`, so that an end that lies across two blocks is seen.
    auto want = std::min<std::uint64_t>(at - begin + record_end.size() - 1, before - begin);
    std::size_t got = 0;
    while (got < want) {
      auto n = ::pread(fd, block + got, want - got, static_cast<off_t>(begin + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return tl::unexpected<int>(errno);
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    auto found = std::string_view{block, got}.rfind(record_end);
    if (found != std::string_view::npos) return begin + found + record_end.size();
    at = begin;
  }
  return 0;
}

} // namespace picket::store
