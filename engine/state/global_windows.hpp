#pragma once

#include "engine/state/window_store.hpp"

#include <cstdint>
#include <mutex>
#include <string_view>

namespace picket::engine {

/// The windows of rules with global_frequency that this node owns (engine.md 1.5), one for the whole node. A
/// window has one owner among the nodes, by its content and key.
class global_windows {
public:
  explicit global_windows(hash_seed seed = {}, std::size_t bytes_max = 16 * 1024 * 1024)
      : windows_(seed, bytes_max) {}
  virtual ~global_windows() = default;

  /// Number of the node that answers for the window. Any thread.
  virtual std::uint64_t owner_of(std::string_view content, std::string_view key) const = 0;
  /// This node's own number.
  virtual std::uint64_t self() const = 0;
  /// True if no window can have another owner.
  virtual bool alone() const { return false; }
  bool owns(std::string_view content, std::string_view key) const { return owner_of(content, key) == self(); }

  /// Held from the first look into `windows` until what the event changes is written.
  std::mutex& mutex() const noexcept { return mutex_; }
  /// Only with `mutex` held.
  window_store& windows() noexcept { return windows_; }
  /// With `mutex` held: the clock of these windows, never stepping back.
  std::int64_t advance_clock(std::int64_t second) noexcept {
    if (second > clock_s_) clock_s_ = second;
    return clock_s_;
  }

private:
  mutable std::mutex mutex_;
  window_store windows_;
  std::int64_t clock_s_ = 0;
};

/// A node that is alone owns every window.
class local_global_windows final : public global_windows {
public:
  using global_windows::global_windows;
  std::uint64_t owner_of(std::string_view, std::string_view) const override { return 0; }
  std::uint64_t self() const override { return 0; }
  bool alone() const override { return true; }
};

} // namespace picket::engine
