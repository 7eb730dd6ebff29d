#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/ids.hpp"

/// A line of which the analysis died, and its form on the disk: one JSON object in a file, every value a
/// text, the short members in the first line so that a list of letters reads little. docs/operate.md shows
/// one.

namespace picket::store {

/// How the bytes of a letter are to be read.
enum class letter_form : std::uint8_t {
  sealed, ///< the record as it came off the connection: it was never opened
  message ///< the event message that was in it
};

using text_digest = std::array<std::uint8_t, 32>; ///< SHA-256

/// The part that a list shows.
struct letter_head {
  std::string id; ///< `<boot>-<batch>-<record>`, unique in a data directory
  agent_id agent = 0;
  std::string agent_name;
  std::int64_t arrival_ms = 0;
  std::int64_t kept_ms = 0;
  std::string reason;    ///< "signal 6"; what the analysis died of
  bool examined = false; ///< it dies of this line alone; false: only of the batch as a whole
  std::string node;
  batch_id batch;
  std::uint32_t record = 0;
  std::uint64_t text_bytes = 0;
  text_digest digest{}; ///< of the text

  friend bool operator==(const letter_head&, const letter_head&) = default;
};

struct dead_letter {
  letter_head head;
  std::string location; ///< of the event; empty if the record was never opened
  std::string text;     ///< the line, or empty; in the file bytes that are no UTF-8 are replaced
  letter_form form = letter_form::message;
  std::string bytes;

  friend bool operator==(const dead_letter&, const dead_letter&) = default;
};

std::string letter_id(const batch_id& batch, std::uint32_t record);

/// The numbers of an id, for its order. Nothing: the text is no id, so it cannot be a file of ours.
std::optional<std::array<std::uint64_t, 3>> parse_letter_id(std::string_view id) noexcept;

text_digest digest_of(std::string_view text) noexcept;

/// The file's bytes. `text_bytes` and `digest` of the head are made from the text.
std::string format_letter(const dead_letter& letter);

/// Errors: corrupt.
result<dead_letter> parse_letter(std::string_view file);
/// From the beginning of a file: its first line is enough. Errors: corrupt.
result<letter_head> parse_letter_head(std::string_view begin_of_file);
/// At most so long is the first line.
inline constexpr std::size_t letter_head_bytes = 4'096;

/// The text with U+FFFD in place of bytes that are no UTF-8.
std::string replace_no_utf8(std::string_view text);

} // namespace picket::store
