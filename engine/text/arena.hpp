#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
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
  /// Memory for a `T`, aligned and value-initialised; its destructor never runs.
  template <class T>
  T* make() {
    static_assert(std::is_trivially_destructible_v<T>);
    auto raw = reinterpret_cast<std::uintptr_t>(allocate(sizeof(T) + alignof(T) - 1));
    return new (reinterpret_cast<void*>((raw + alignof(T) - 1) / alignof(T) * alignof(T))) T{};
  }
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
