#pragma once

#include "base/error.hpp"

#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Names and places in the journal: `<YYYY>/<Mon>/<stem>-<DD>[-<part>].<ext>` below an output's directory.

namespace picket::store {

/// The moment of an append; the day of files is the local one.
struct journal_time {
  std::int64_t now_ms = 0;
  std::int32_t utc_offset_s = 0;
};

/// One output of the journal, as writer and readers name it.
struct journal_output {
  std::filesystem::path directory; ///< for example logs/alerts
  std::string stem;                ///< "ossec-alerts"
  std::string live;                ///< "alerts"
  std::string extension;           ///< "json" or "log"
  std::string record_end = "\n";   ///< "\n\n" for alerts as text

  /// A second name of the newest file, for people and followers.
  std::filesystem::path live_file() const { return directory / (live + "." + extension); }
  /// The list of all files in the order in which they were begun.
  std::filesystem::path order_file() const { return directory / (live + "." + extension + ".order"); }
};

/// Names one file: the day since 1970 and the part of that day.
struct journal_part {
  std::int64_t day = 0;
  unsigned part = 0;

  friend bool operator==(const journal_part&, const journal_part&) = default;
  friend auto operator<=>(const journal_part&, const journal_part&) = default;
};

/// Days since 1970 in local time.
std::int64_t local_day(const journal_time& now) noexcept;

/// The file's name below the output's directory.
std::string part_name(const journal_output& output, journal_part part);
/// The inverse; nothing if the name is none of this output.
std::optional<journal_part> parse_part_name(const journal_output& output, std::string_view name);
/// The greatest part of the day of which there is a file, also a compressed one (`….gz`).
std::optional<unsigned> greatest_part_on_disk(const journal_output& output, std::int64_t day);
/// Every file of the output that is there, by day and part. For when the list of files is lost.
std::vector<std::string> list_parts(const journal_output& output);

/// A place in the journal that stays valid: what a reader of it stores as its cursor.
struct journal_position {
  std::string file; ///< below the directory, for example "2025/Mar/ossec-alerts-04-001.json"
  std::uint64_t offset = 0;

  friend bool operator==(const journal_position&, const journal_position&) = default;
};

std::string to_text(const journal_position& position);
/// The inverse; an empty file name if the text is none: it must be exactly what `to_text` writes and must not
/// lead out of the directory.
journal_position parse_journal_position(std::string_view text);

} // namespace picket::store
