#include "engine/load/time_window.hpp"

#include "engine/text/fold.hpp"

#include <array>

namespace picket::engine {

namespace {

bool blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Reads HOUR of rules.md 3.6 from the front of `text`.
class clock_reader {
public:
  explicit clock_reader(std::string_view text)
      : rest_(text) {}

  void skip_blanks() {
    while (!rest_.empty() && blank(rest_.front()))
      rest_.remove_prefix(1);
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool done() const { return rest_.empty(); }

  std::optional<std::uint16_t> hour_and_minute() {
    auto hour = number(1, 2);
    if (!hour || *hour > 23) return std::nullopt;
    unsigned minute = 0;
    if (take(':')) {
      auto given = number(2, 2);
      if (!given || *given > 59) return std::nullopt;
      minute = *given;
    }
    const auto before = rest_;
    skip_blanks();
    if (half('a')) {
      if (*hour > 12) return std::nullopt;
      if (*hour == 12) hour = 0;
    } else if (half('p')) {
      if (*hour > 12) return std::nullopt;
      if (*hour < 12) hour = *hour + 12;
    } else {
      rest_ = before;
    }
    return static_cast<std::uint16_t>(*hour * 60 + minute);
  }

private:
  std::optional<unsigned> number(unsigned least, unsigned most) {
    unsigned value = 0;
    unsigned count = 0;
    while (count < most && !rest_.empty() && digit(rest_.front())) {
      value = value * 10 + static_cast<unsigned>(rest_.front() - '0');
      rest_.remove_prefix(1);
      ++count;
    }
    if (count < least) return std::nullopt;
    return value;
  }
  bool half(char which) {
    if (rest_.size() < 2 || (rest_[0] | 0x20) != which || (rest_[1] | 0x20) != 'm') return false;
    rest_.remove_prefix(2);
    return true;
  }

  std::string_view rest_;
};

struct day_name {
  std::string_view name;
  std::uint8_t bits;
};

constexpr std::array<day_name, 16> day_names{{{"sunday", 1},
                                              {"sun", 1},
                                              {"monday", 2},
                                              {"mon", 2},
                                              {"tuesday", 4},
                                              {"tue", 4},
                                              {"wednesday", 8},
                                              {"wed", 8},
                                              {"thursday", 16},
                                              {"thu", 16},
                                              {"friday", 32},
                                              {"fri", 32},
                                              {"saturday", 64},
                                              {"sat", 64},
                                              {"weekdays", 62},
                                              {"weekends", 65}}};

std::uint8_t bits_of_day(std::string_view name) {
  for (const auto& day : day_names)
    if (equal_fold(day.name, name)) return day.bits;
  return 0;
}

} // namespace

bool time_window::contains(unsigned minute_of_day) const noexcept {
  if (begin <= end) return (begin <= minute_of_day && minute_of_day <= end) != negated;
  return !(end <= minute_of_day && minute_of_day <= begin);
}

std::optional<time_window> parse_time_window(std::string_view text) noexcept {
  clock_reader reader{text};
  time_window window;
  reader.skip_blanks();
  window.negated = reader.take('!');
  reader.skip_blanks();
  const auto begin = reader.hour_and_minute();
  reader.skip_blanks();
  if (!begin || !reader.take('-')) return std::nullopt;
  reader.skip_blanks();
  const auto end = reader.hour_and_minute();
  reader.skip_blanks();
  if (!end || !reader.done()) return std::nullopt;
  window.begin = *begin;
  window.end = *end;
  window.negation_lost = window.negated && window.begin > window.end;
  return window;
}

std::optional<std::uint8_t> parse_weekdays(std::string_view text) {
  std::uint8_t bits = 0;
  std::size_t at = 0;
  const auto separator = [](char c) { return blank(c) || c == ','; };
  while (at < text.size()) {
    if (separator(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !separator(text[end]))
      ++end;
    const auto here = bits_of_day(text.substr(at, end - at));
    if (here == 0) return std::nullopt;
    bits = static_cast<std::uint8_t>(bits | here);
    at = end;
  }
  if (bits == 0) return std::nullopt;
  return bits;
}

local_moment local_moment_of(std::int64_t epoch_s, std::int32_t utc_offset_s) noexcept {
  const std::int64_t local = epoch_s + utc_offset_s;
  std::int64_t day = local / 86400;
  std::int64_t second = local % 86400;
  if (second < 0) {
    second += 86400;
    --day;
  }
  // 1970-01-01 was a Thursday.
  const auto weekday = static_cast<unsigned>(((day + 4) % 7 + 7) % 7);
  return {static_cast<unsigned>(second / 60), weekday};
}

} // namespace picket::engine
