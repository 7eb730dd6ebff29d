#include "cluster-tests/harness/scratch_mount.hpp"

#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

namespace picket::harness {

namespace fs = std::filesystem;

namespace {

// linux/fs.h in kernels that name it there; the number is the same for ext4, f2fs and xfs.
constexpr unsigned long shutdown_request = _IOR('X', 125, __u32);
constexpr __u32 without_flush = 2; ///< what is not on the disk is lost

result<void> run(const std::string& command) {
  if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) return {};
  return fail(errc::io, "the command failed", command);
}

std::string size_option(std::uint64_t bytes) { return "size=" + std::to_string(bytes); }

} // namespace

scratch_mount::scratch_mount(fs::path where, fs::path image)
    : where_{std::move(where)}
    , image_{std::move(image)} {}

scratch_mount::~scratch_mount() { ::umount2(where_.c_str(), MNT_DETACH); }

result<std::unique_ptr<scratch_mount>> scratch_mount::tmpfs(const fs::path& where, std::uint64_t bytes) {
  fs::create_directories(where);
  if (::mount("picket-test", where.c_str(), "tmpfs", 0, size_option(bytes).c_str()) != 0)
    return fail(errc::permission, "cannot mount a tmpfs: " + system_text(errno), where.string());
  return std::unique_ptr<scratch_mount>{new scratch_mount{where, {}}};
}

result<std::unique_ptr<scratch_mount>> scratch_mount::ext4(const fs::path& where, const fs::path& image,
                                                           std::uint64_t bytes) {
  fs::create_directories(where);
  if (::geteuid() != 0) return fail(errc::permission, "only root can mount", where.string());
  if (auto made = run("truncate -s " + std::to_string(bytes) + " " + image.string()); !made)
    return tl::unexpected<error>(made.error());
  if (auto made = run("mkfs.ext4 -q -F " + image.string()); !made) return tl::unexpected<error>(made.error());
  std::unique_ptr<scratch_mount> self{new scratch_mount{where, image}};
  if (auto mounted = self->mount_image(); !mounted)
    return fail(errc::permission, "cannot mount an image", where.string());
  return self;
}

result<void> scratch_mount::mount_image() {
  return run("mount -t ext4 -o loop " + image_.string() + " " + where_.string());
}

result<void> scratch_mount::resize(std::uint64_t bytes) {
  if (::mount("picket-test", where_.c_str(), "tmpfs", MS_REMOUNT, size_option(bytes).c_str()) == 0) return {};
  return fail(errc::io, "cannot resize: " + system_text(errno), where_.string());
}

result<void> scratch_mount::power_cut() {
  int fd = ::open(where_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  __u32 how = without_flush;
  bool cut = fd >= 0 && ::ioctl(fd, shutdown_request, &how) == 0;
  int number = errno;
  if (fd >= 0) ::close(fd);
  if (!cut)
    return fail(errc::io, "cannot shut the file system down: " + system_text(number), where_.string());
  if (::umount(where_.c_str()) != 0)
    return fail(errc::io, "cannot unmount: " + system_text(errno), where_.string());
  return mount_image();
}

} // namespace picket::harness
