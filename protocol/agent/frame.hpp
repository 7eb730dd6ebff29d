#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <cstdint>

/// Frames of the agents' TCP connection: a length of 4 bytes, little-endian, then the record
/// (agent-protocol 2.2).

namespace picket::protocol {

inline constexpr std::size_t frame_prefix_bytes = 4;
inline constexpr std::size_t max_record_bytes = 65'536;

/// Record of a balancer's check, and its answer. Neither is encrypted.
inline constexpr std::string_view ping_record = "#ping";
inline constexpr std::string_view pong_record = "#pong";

enum class frame_status {
  complete,
  incomplete, ///< needs more bytes
  empty,      ///< length 0: a bad record, close
  too_large,  ///< length above max_record_bytes: close
};

struct frame_cut {
  frame_status status = frame_status::incomplete;
  byte_view record;             ///< points into the buffer; only if complete
  std::size_t consumed = 0;     ///< bytes of the buffer that are done with; 0 unless complete or empty
  std::size_t needed_bytes = 0; ///< if incomplete: the whole frame's size, as far as it is known
};

/// Cuts the first frame off what was read so far. Constant time.
frame_cut cut_frame(byte_view buffered) noexcept;

/// Appends length and record. @pre 1 <= record size <= max_record_bytes.
void append_frame(byte_buffer& to, byte_view record);

/// Leaves room for the length in front of a record that is appended next; `close_frame` fills it in.
std::size_t open_frame(byte_buffer& to);
void close_frame(byte_buffer& to, std::size_t frame_begin);

bool is_ping(byte_view record) noexcept;

} // namespace picket::protocol
