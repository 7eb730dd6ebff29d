#include "engine/render/moment.hpp"

#include <array>
#include <cstdio>

namespace picket::engine {

namespace {

struct calendar_day {
  std::int64_t year;
  unsigned month; ///< 1 to 12
  unsigned day;
};

/// Proleptic Gregorian date of a day number counted from 1970-01-01, with years that begin in March.
calendar_day calendar_day_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned march_month = (5 * of_year + 2) / 153;
  const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
  const std::int64_t year = static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0);
  return {year, month, of_year - (153 * march_month + 2) / 5 + 1};
}

std::int64_t seconds_of(std::int64_t epoch_ms) { return epoch_ms / 1000 - (epoch_ms % 1000 < 0 ? 1 : 0); }

} // namespace

void moment_texts::update(std::int64_t epoch_s, std::int32_t utc_offset_s) {
  if (known_ && epoch_s == epoch_s_ && utc_offset_s == utc_offset_s_) return;
  known_ = true;
  epoch_s_ = epoch_s;
  utc_offset_s_ = utc_offset_s;
  const std::int64_t local = epoch_s + utc_offset_s;
  std::int64_t days = local / 86400;
  std::int64_t rest = local % 86400;
  if (rest < 0) {
    rest += 86400;
    --days;
  }
  const auto date = calendar_day_of(days);
  const auto second = static_cast<unsigned>(rest);
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02uT%02u:%02u:%02u", static_cast<long long>(date.year),
                date.month, date.day, second / 3600, second / 60 % 60, second % 60);
  json_ = buffer;
  const auto minutes = static_cast<unsigned>((utc_offset_s < 0 ? -utc_offset_s : utc_offset_s) / 60);
  std::snprintf(buffer, sizeof buffer, "%c%02u%02u", utc_offset_s < 0 ? '-' : '+', minutes / 60,
                minutes % 60);
  zone_ = buffer;
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::snprintf(buffer, sizeof buffer, "%lld %s %02u %02u:%02u:%02u", static_cast<long long>(date.year),
                months[date.month - 1], date.day, second / 3600, second / 60 % 60, second % 60);
  text_ = buffer;
}

void moment_texts::append_json(std::string& to, std::int64_t epoch_ms, std::int32_t utc_offset_s) {
  const auto epoch_s = seconds_of(epoch_ms);
  update(epoch_s, utc_offset_s);
  const auto ms = static_cast<unsigned>(epoch_ms - epoch_s * 1000);
  const char fraction[4] = {'.', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                            static_cast<char>('0' + ms % 10)};
  to.append(json_).append(fraction, 4).append(zone_);
}

void moment_texts::append_text(std::string& to, std::int64_t epoch_ms, std::int32_t utc_offset_s) {
  update(seconds_of(epoch_ms), utc_offset_s);
  to.append(text_);
}

} // namespace picket::engine
