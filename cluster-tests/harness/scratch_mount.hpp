#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/error.hpp"

namespace picket::harness {

/// A small file system of a test's own: full, enlarged, or cut from its power at will. Needs root; unmounted
/// when it goes out of scope.
class scratch_mount {
public:
  /// Errors: permission (not root, or no such file systems here), io.
  static result<std::unique_ptr<scratch_mount>> tmpfs(const std::filesystem::path& where,
                                                      std::uint64_t bytes);
  /// ext4 in an image file, over a loop device.
  static result<std::unique_ptr<scratch_mount>> ext4(const std::filesystem::path& where,
                                                     const std::filesystem::path& image, std::uint64_t bytes);
  ~scratch_mount();
  scratch_mount(const scratch_mount&) = delete;
  scratch_mount& operator=(const scratch_mount&) = delete;

  /// Of a tmpfs, at once. Errors: io.
  result<void> resize(std::uint64_t bytes);
  /// Of an ext4: what was not forced to the disk is gone; mounted again as after a restart of the machine.
  /// Nobody may have a file of it open. Errors: io.
  result<void> power_cut();

private:
  scratch_mount(std::filesystem::path where, std::filesystem::path image);
  result<void> mount_image();

  std::filesystem::path where_;
  std::filesystem::path image_;
};

} // namespace picket::harness
