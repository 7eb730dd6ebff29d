#pragma once

#include "base/ids.hpp"
#include "store/pool/pool.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>

// The bytes of the pool's file. Only pool*.cpp know them.
//
//   file    = header page (4096) segment*
//   segment = segment_header payload slack(64)
//   payload = (record_header bytes padding to 8)*, running on over the segments of a chain
//
// A kill may strike between any two stores of a thread; what another process then finds in the mapping is
// what was stored until then, in order. So data is written before the word that makes it count, and each such
// word is atomic.

namespace picket::store::layout {

inline constexpr std::uint64_t file_magic = 0x31304c4f4f504b50; // "PKPOOL01"
inline constexpr std::size_t header_page_bytes = 4'096;
inline constexpr std::uint32_t no_segment = UINT32_MAX;

struct file_header {
  std::uint64_t magic = file_magic;
  std::uint32_t segments = 0;
  std::uint32_t segment_bytes = 0;
  std::uint64_t checksum = 0;
};

enum class batch_state : std::uint32_t { free = 0, open = 1, closed = 2, running = 3, link = 4 };

/// What a segment is part of. Written once for each use, covered by the checksum.
struct segment_identity {
  std::uint32_t node = 0;
  std::uint32_t boot = 0;
  std::uint64_t sequence = 0;
  std::uint32_t shard = 0;
  std::uint32_t index = 0; ///< in the chain; 0: the first
};

/// A record counts from the store of `fill` on; one that spans segments from the last of these stores on.
struct segment_header {
  std::atomic<std::uint32_t> state;
  std::atomic<std::uint32_t> next;
  segment_identity identity;
  std::uint64_t checksum;
  std::atomic<std::uint64_t> fill; ///< bytes of the payload
  std::atomic<std::uint64_t> run;  ///< of the first: attempt, upper 16 bits, and rule set version
};
static_assert(sizeof(segment_header) == 56);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "the words are shared with a later process");

struct record_header {
  std::int64_t arrival_ms = 0;
  std::uint64_t connection = 0;
  agent_id agent = 0;
  std::uint32_t length = 0;
  std::uint32_t kind = 0;
  std::uint32_t mark = 0; ///< record_mark and the length, so that stray bytes are told from a header
};
static_assert(sizeof(record_header) == 32);
inline constexpr std::uint32_t record_mark = 0x52454344;

/// FNV-1a; guards against torn and foreign bytes, not against malice: the file is the owner's alone.
inline std::uint64_t checksum_of(const void* data, std::size_t size) noexcept {
  const auto* bytes = static_cast<const unsigned char*>(data);
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < size; ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3;
  return hash;
}

inline std::uint64_t checksum_of(const segment_identity& identity) noexcept {
  return checksum_of(&identity, sizeof identity);
}

inline std::uint64_t checksum_of(const file_header& header) noexcept {
  return checksum_of(&header, offsetof(file_header, checksum));
}

inline std::size_t padded(std::size_t bytes) noexcept { return (bytes + 7) / 8 * 8; }

/// The mapped segments.
struct segments {
  std::byte* base = nullptr; ///< of the file
  std::uint32_t count = 0;
  std::uint32_t segment_bytes = 0;

  std::byte* at(std::uint32_t index) const noexcept {
    return base + header_page_bytes + std::size_t{index} * segment_bytes;
  }
  segment_header& header(std::uint32_t index) const noexcept {
    return *reinterpret_cast<segment_header*>(at(index));
  }
  std::byte* payload(std::uint32_t index) const noexcept { return at(index) + sizeof(segment_header); }
  std::size_t payload_bytes() const noexcept {
    return segment_bytes - sizeof(segment_header) - pool::slack_bytes;
  }
  std::size_t file_bytes() const noexcept { return header_page_bytes + std::size_t{count} * segment_bytes; }
};

inline std::uint32_t attempt_of(std::uint64_t run) noexcept { return static_cast<std::uint32_t>(run >> 48U); }
inline std::uint64_t version_of(std::uint64_t run) noexcept { return run & 0xffffffffffffU; }
inline std::uint64_t make_run(std::uint32_t attempt, std::uint64_t version) noexcept {
  return std::uint64_t{attempt} << 48U | (version & 0xffffffffffffU);
}

/// Reads all records of a chain whose first segment is given; stops at the first thing that does not fit.
struct chain_contents {
  std::vector<pool_record> records;
  std::vector<std::unique_ptr<std::byte[]>> joined;
  std::vector<std::uint32_t> segments;
  std::uint32_t damaged = 0;
  bool broken = false; ///< a later segment is not part of this batch
};
chain_contents read_chain(const segments& all, std::uint32_t first);

} // namespace picket::store::layout
