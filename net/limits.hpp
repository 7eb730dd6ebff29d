#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "net/address.hpp"

namespace picket::net {

/// How many connections a port takes, in all and from one address; checked before anything is read.
/// Thread-safe.
class connection_limits {
public:
  /// 0 means no limit per address.
  connection_limits(std::size_t total, std::size_t per_address)
      : total_{total}
      , per_address_{per_address} {}

  enum class verdict { taken, too_many, too_many_from_address };

  verdict take(const ip_address& from);
  void give_back(const ip_address& from);

  std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }
  std::uint64_t refused() const noexcept { return refused_.load(std::memory_order_relaxed); }

private:
  std::size_t total_;
  std::size_t per_address_;
  std::atomic<std::size_t> open_{0};
  std::atomic<std::uint64_t> refused_{0};
  std::mutex mutex_;
  std::unordered_map<ip_address, std::size_t, ip_address_hash> by_address_;
};

} // namespace picket::net
