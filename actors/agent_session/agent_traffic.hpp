#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace picket {

/// What came from an agent, as figures of one moment.
struct traffic_figures {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  ///< of records as they were sent
  std::uint64_t events = 0; ///< found in records that were opened
  std::uint64_t dropped =
      0; ///< records and events that were read and not analysed: malformed, bad, above a limit
  std::int64_t paused_ms = 0; ///< for which it was not read for want of room

  traffic_figures& operator+=(const traffic_figures& other) noexcept {
    records += other.records;
    bytes += other.bytes;
    events += other.events;
    dropped += other.dropped;
    paused_ms += other.paused_ms;
    return *this;
  }
};

/// The same as it is counted, by several threads.
class agent_traffic {
public:
  void add_record(std::uint64_t size) noexcept {
    records_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(size, std::memory_order_relaxed);
  }
  void add_events(std::uint64_t count) noexcept { events_.fetch_add(count, std::memory_order_relaxed); }
  void add_dropped(std::uint64_t count) noexcept { dropped_.fetch_add(count, std::memory_order_relaxed); }
  void add_pause(std::int64_t ms) noexcept { paused_ms_.fetch_add(ms, std::memory_order_relaxed); }
  void add(const traffic_figures& other) noexcept {
    records_.fetch_add(other.records, std::memory_order_relaxed);
    bytes_.fetch_add(other.bytes, std::memory_order_relaxed);
    add_events(other.events);
    add_dropped(other.dropped);
    add_pause(other.paused_ms);
  }

  traffic_figures read() const noexcept {
    return {records_.load(std::memory_order_relaxed), bytes_.load(std::memory_order_relaxed),
            events_.load(std::memory_order_relaxed), dropped_.load(std::memory_order_relaxed),
            paused_ms_.load(std::memory_order_relaxed)};
  }

private:
  std::atomic<std::uint64_t> records_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> events_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::int64_t> paused_ms_{0};
};

/// What the node knows of its talk with an agent since it was started. Moments are of the wall clock.
struct agent_contact {
  std::int64_t last_byte_ms = 0; ///< 0: none yet
  bool connected = false;
  std::string address;           ///< where the connection comes from
  std::int64_t connected_ms = 0; ///< since when
  bool paused = false;           ///< it is not read for the moment, for want of room
  std::int64_t waiting_records = 0;
  traffic_figures connection; ///< of the connection of now
  traffic_figures total;
};

} // namespace picket
