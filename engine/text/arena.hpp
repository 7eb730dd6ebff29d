#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace picket::engine {

/// Memory for the computed texts of one event (JSON numbers, printed arrays, unescaped strings). Taking a
/// piece is a pointer step; `reset` gives everything back at once. Each text is readable 64 bytes beyond its
/// end (engine.md 1.1).
class arena {
public:
  static constexpr std::size_t slack_bytes = 64;

  explicit arena(std::size_t block_bytes = 64 * 1024);
  ~arena();
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  /// `size` bytes without alignment; valid until `reset`.
  char* allocate(std::size_t size);
  std::string_view copy(std::string_view text);
  /// Joins two texts.
  std::string_view join(std::string_view a, std::string_view b);

  /// Forgets all texts; keeps the first block, frees the others.
  void reset() noexcept;
  /// Handed out since the last `reset`.
  std::size_t used_bytes() const noexcept { return used_; }

private:
  struct block {
    std::unique_ptr<char[]> bytes;
    std::size_t size;
  };
  std::size_t block_bytes_;
  std::vector<block> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t used_ = 0;
};

} // namespace picket::engine
