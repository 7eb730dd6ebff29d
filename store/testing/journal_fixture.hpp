#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/scratch_directory.hpp"
#include "store/journal/journal.hpp"

namespace picket::testing {

// 2025-03-04 10:00:00 UTC
inline constexpr std::int64_t morning_ms = 1'741'082'400'000;
inline constexpr std::int64_t hour_ms = 3'600'000;
inline constexpr std::int64_t day_ms = 24 * hour_ms;

inline store::journal_time at(std::int64_t ms, std::int32_t offset_s = 0) { return {ms, offset_s}; }

inline store::journal_lines json(std::string_view text) {
  store::journal_lines lines;
  lines.alerts_json = text;
  return lines;
}

/// A journal in a directory of its own.
class journal_fixture : public ::testing::Test {
protected:
  store::journal_options options() const {
    store::journal_options all;
    all.directory = scratch.path() / "logs";
    return all;
  }
  store::journal open(const store::journal_options& wanted, std::int64_t now_ms = morning_ms,
                      std::int32_t offset_s = 0) {
    auto opened = store::journal::open(wanted, at(now_ms, offset_s));
    EXPECT_TRUE(opened) << to_string(opened.error());
    return std::move(*opened);
  }
  std::string logs(const std::string& name) const { return scratch.read("logs/" + name); }
  std::filesystem::path path(const std::string& name) const { return scratch.path() / "logs" / name; }
  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }
  ino_t inode(const std::string& name) const {
    struct stat info {};
    return ::stat(path(name).c_str(), &info) == 0 ? info.st_ino : 0;
  }
  static std::uint64_t repaired_bytes(store::journal& of) {
    std::uint64_t bytes = 0;
    for (const auto& notice : of.take_notices())
      if (notice.what == store::journal_notice::kind::repaired) bytes += notice.bytes;
    return bytes;
  }

  scratch_directory scratch;
};

} // namespace picket::testing
