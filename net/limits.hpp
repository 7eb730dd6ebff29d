#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "net/address.hpp"

namespace picket::net {

/// Why a connection got no place, or lost it to a newer one.
enum class refusal : std::uint8_t {
  total,      ///< the port has as many connections as it may
  address,    ///< the address has
  rate,       ///< too many new ones from the address, or in all, for the moment
  penalty,    ///< the address has sent too much that was bad
  unverified, ///< among those that have proven nothing, a newer one took its place, or it held too many bytes
  refused,    ///< the same among those that were refused and only wait
  no_descriptor,    ///< the process has as many files open as it may; waits in the backlog
  bad_proxy_header, ///< a balancer's connection that began with something else than a PROXY header
  no_proxy_header   ///< one that had not brought its PROXY header in time
};
inline constexpr std::size_t refusal_count = 9;

/// As the metrics label it.
std::string_view name_of(refusal reason) noexcept;

/// What counts as one address: of IPv6 a /64, since whoever has one of its addresses has them all.
ip_address limit_key(const ip_address& address) noexcept;

/// How many connections a port takes, in all and from one address (`limit_key`); checked before anything is
/// read. A balancer's connection has a place in all from its beginning, and counts for an address when it is
/// known whose it is. Thread-safe.
class connection_limits {
public:
  /// Room beyond the total for newcomers whose place another connection is just giving up.
  static constexpr std::size_t in_exchange_max = 256;

  /// 0 means no limit per address.
  connection_limits(std::size_t total, std::size_t per_address)
      : total_{total}
      , per_address_{per_address} {}

  enum class verdict { taken, too_many, too_many_from_address };

  /// `in_exchange`: another connection has been told to go.
  verdict take(const ip_address& from, bool in_exchange = false);
  void give_back(const ip_address& from);
  /// A place that counts for no address. False: there are too many.
  bool take_nameless(bool in_exchange = false);
  void give_back_nameless();
  /// From now on such a place counts for the address. False, and nothing has changed: the address has too
  /// many.
  bool name(const ip_address& from);

  std::size_t open() const noexcept { return open_.load(std::memory_order_relaxed); }

private:
  std::size_t total_;
  std::size_t per_address_;
  std::atomic<std::size_t> open_{0};
  std::mutex mutex_;
  std::unordered_map<ip_address, std::size_t, ip_address_hash> by_address_;
};

} // namespace picket::net
