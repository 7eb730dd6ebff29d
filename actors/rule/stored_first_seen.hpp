#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/state/first_seen.hpp"
#include "store/local/local_state.hpp"

namespace picket {

/// The memory of first-time-seen keys of a node: answers from memory, and what is new goes to the disk once a
/// second. A crash may forget the last second: such a key then counts as new once more.
class stored_first_seen final : public engine::first_seen {
public:
  /// Errors: io. Loads what is stored.
  static result<std::shared_ptr<stored_first_seen>> load(std::shared_ptr<store::local_state> local);

  bool contains(std::string_view key) const override { return memory_.contains(key); }
  bool insert_if_new(std::string_view key) override;
  std::string cut_if_similar(std::string_view key) const override { return memory_.cut_if_similar(key); }
  void remember_recent(std::string_view key) override { memory_.remember_recent(key); }

  /// Keys that are remembered, and those that had to go for want of room.
  std::size_t size() const { return memory_.size(); }
  std::uint64_t evicted() const { return memory_.evicted(); }

  /// Writes what is new. Errors: disk_full, io; the keys stay and are written next time.
  result<void> flush();

private:
  /// Keys that wait for the disk; more are remembered in memory only, until the next flush.
  static constexpr std::size_t waiting_limit = 100'000;
  static constexpr std::size_t stored_limit = 1'000'000;

  explicit stored_first_seen(std::shared_ptr<store::local_state> local)
      : local_{std::move(local)} {}

  std::shared_ptr<store::local_state> local_;
  engine::first_seen_in_memory memory_;
  std::mutex mutex_;
  std::vector<std::string> waiting_;
  std::size_t flushes_ = 0;
};

} // namespace picket
