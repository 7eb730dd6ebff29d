#include "store/journal/journal_names.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

namespace picket::store {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t ms_per_second = 1'000;
constexpr std::int64_t seconds_per_day = 86'400;
constexpr std::size_t position_bytes_max = 512;
constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil_date {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};

/// Gregorian date of a day number, by 400-year eras.
civil_date date_of(std::int64_t day) {
  day += 719'468; // 0000-03-01
  auto era = (day >= 0 ? day : day - 146'096) / 146'097;
  auto of_era = day - era * 146'097;
  auto year_of_era = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  auto of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  auto shifted_month = (5 * of_year + 2) / 153;
  civil_date date;
  date.day = static_cast<unsigned>(of_year - (153 * shifted_month + 2) / 5 + 1);
  date.month = static_cast<unsigned>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

/// The inverse.
std::int64_t day_of(const civil_date& date) {
  auto year = date.year - (date.month <= 2 ? 1 : 0);
  auto era = (year >= 0 ? year : year - 399) / 400;
  auto of_era = year - era * 400;
  auto shifted_month = static_cast<std::int64_t>(date.month > 2 ? date.month - 3 : date.month + 9);
  auto of_year = (153 * shifted_month + 2) / 5 + date.day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

/// "2025/Mar/"
std::string month_folder(const civil_date& date) {
  char text[32];
  std::snprintf(text, sizeof text, "%04lld/%s/", static_cast<long long>(date.year), months[date.month - 1]);
  return text;
}

/// Takes `prefix` off the front; false if it is not there.
bool take(std::string_view& from, std::string_view prefix) {
  if (from.substr(0, prefix.size()) != prefix) return false;
  from.remove_prefix(prefix.size());
  return true;
}

bool take_digits(std::string_view& from, std::size_t least, std::size_t most, std::int64_t& into) {
  std::size_t count = 0;
  while (count < from.size() && count < most && from[count] >= '0' && from[count] <= '9')
    ++count;
  if (count < least) return false;
  std::from_chars(from.data(), from.data() + count, into);
  from.remove_prefix(count);
  return true;
}

bool take_month(std::string_view& from, unsigned& month) {
  for (unsigned i = 0; i < std::size(months); ++i) {
    if (!take(from, months[i])) continue;
    month = i + 1;
    return true;
  }
  return false;
}

} // namespace

std::int64_t local_day(const journal_time& now) noexcept {
  auto local_s = now.now_ms / ms_per_second + now.utc_offset_s;
  return (local_s - (local_s % seconds_per_day + seconds_per_day) % seconds_per_day) / seconds_per_day;
}

std::string part_name(const journal_output& output, journal_part part) {
  auto date = date_of(part.day);
  char number[32];
  std::snprintf(number, sizeof number, "-%02u", date.day);
  auto name = month_folder(date) + output.stem + number;
  if (part.part > 0) {
    std::snprintf(number, sizeof number, "-%03u", part.part);
    name += number;
  }
  return name + "." + output.extension;
}

std::optional<journal_part> parse_part_name(const journal_output& output, std::string_view name) {
  auto rest = name;
  civil_date date;
  std::int64_t day = 0;
  std::int64_t part = 0;
  if (!take_digits(rest, 4, 6, date.year) || !take(rest, "/") || !take_month(rest, date.month)
      || !take(rest, "/" + output.stem + "-") || !take_digits(rest, 2, 2, day) || day < 1 || day > 31)
    return std::nullopt;
  date.day = static_cast<unsigned>(day);
  if (take(rest, "-") && !take_digits(rest, 3, 6, part)) return std::nullopt;
  journal_part found{day_of(date), static_cast<unsigned>(part)};
  // The rest must be the extension, and nothing may be written in another way than we do.
  if (part_name(output, found) != name) return std::nullopt;
  return found;
}

std::optional<unsigned> greatest_part_on_disk(const journal_output& output, std::int64_t day) {
  std::optional<unsigned> greatest;
  auto folder = month_folder(date_of(day));
  std::error_code problem;
  for (fs::directory_iterator at{output.directory / folder, problem}, end; !problem && at != end;
       at.increment(problem)) {
    auto name = folder + at->path().filename().string();
    constexpr std::string_view packed = ".gz";
    if (name.size() > packed.size() && name.compare(name.size() - packed.size(), packed.size(), packed) == 0)
      name.resize(name.size() - packed.size());
    auto part = parse_part_name(output, name);
    if (part && part->day == day && (!greatest || part->part > *greatest)) greatest = part->part;
  }
  return greatest;
}

std::vector<std::string> list_parts(const journal_output& output) {
  std::vector<std::pair<journal_part, std::string>> found;
  std::error_code problem;
  for (fs::directory_iterator year{output.directory, problem}, end; !problem && year != end;
       year.increment(problem)) {
    std::error_code no_folder; // other files lie there as well
    for (fs::directory_iterator month{year->path(), no_folder}; !no_folder && month != end;
         month.increment(no_folder)) {
      std::error_code no_month;
      for (fs::directory_iterator file{month->path(), no_month}; !no_month && file != end;
           file.increment(no_month)) {
        auto name = file->path().lexically_relative(output.directory).generic_string();
        if (auto part = parse_part_name(output, name)) found.emplace_back(*part, std::move(name));
      }
    }
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& one : found)
    names.push_back(std::move(one.second));
  return names;
}

std::string to_text(const journal_position& position) {
  return position.file + ":" + std::to_string(position.offset);
}

journal_position parse_journal_position(std::string_view text) {
  journal_position position;
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || text.size() > position_bytes_max) return {};
  auto digits = text.substr(colon + 1);
  auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), position.offset);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return {};
  position.file = text.substr(0, colon);
  bool plain = std::all_of(position.file.begin(), position.file.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'
           || c == '_' || c == '/';
  });
  bool inside = position.file.front() != '/' && position.file.find("..") == std::string::npos;
  if (!plain || !inside || to_text(position) != text) return {};
  return position;
}

} // namespace picket::store
