#include "store/file_write.hpp"

#include <cerrno>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/faults/faults.hpp"
#include "base/testing/scratch_directory.hpp"

namespace picket::store {
namespace {

TEST(FileWrite, WritesAllAndSaysWhatItCannot) {
  testing::scratch_directory dir;
  auto path = dir.path() / "x";
  int fd = open_file(path.c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_GE(fd, 0);
  EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  std::string text(1 << 20, 'a');
  auto outcome = write_all(fd, text);
  EXPECT_TRUE(outcome.done());
  EXPECT_EQ(outcome.bytes, text.size());
  EXPECT_EQ(sync_file(fd), 0);
  EXPECT_EQ(dir.read("x"), text);
  ::close(fd);
  EXPECT_EQ(write_all(fd, "x").error_number, EBADF);
  EXPECT_EQ(sync_file(fd), EBADF);
  int full = open_file("/dev/full", O_WRONLY, 0);
  ASSERT_GE(full, 0);
  EXPECT_EQ(write_all(full, "x").error_number, ENOSPC);
  ::close(full);
}

TEST(FileWrite, SaysHowMuchWasWrittenBeforeTheError) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  auto outcome = write_all(pair[0], std::string(16 << 20, 'a')); // more than the kernel takes
  EXPECT_EQ(outcome.error_number, EAGAIN);
  EXPECT_GT(outcome.bytes, 0u);
  EXPECT_LT(outcome.bytes, std::size_t{16} << 20);
  ::close(pair[0]);
  ::close(pair[1]);
}

#if PICKET_FAULTS
TEST(FileWrite, TheFaultsOfTheDiskReachIt) {
  testing::scratch_directory dir;
  int fd = open_file((dir.path() / "x").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(faults::set("short-write", "1"));
  EXPECT_TRUE(write_all(fd, "abcdefg").done()) << "it writes the rest";
  EXPECT_EQ(dir.read("x"), "abcdefg");
  ASSERT_TRUE(faults::set("disk-full", "1"));
  EXPECT_EQ(write_all(fd, "x").error_number, ENOSPC);
  faults::clear_all();
  ASSERT_TRUE(faults::set("sync-error", "1"));
  EXPECT_EQ(sync_file(fd), EIO);
  faults::clear_all();
  ::close(fd);
}
#endif

} // namespace
} // namespace picket::store
