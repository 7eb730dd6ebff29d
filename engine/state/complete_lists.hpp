#pragma once

#include "engine/event/event.hpp"
#include "engine/load/ruleset.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace picket::engine {

/// A whole event as rules.md 4 remembers it.
struct complete_record {
  std::uint64_t sequence = 0;
  std::int64_t second = 0;
  std::int32_t mark = 0;
  std::int32_t global_mark = 0; ///< global windows keep marks of their own
  std::string agent;
  std::string location;
  std::string full_log;
  std::string log;
  event_type type = event_type::syslog;
  std::array<std::optional<std::string>, static_field_count> statics;
  std::vector<std::pair<std::string, std::string>> dynamics;

  /// First dynamic field of that name, without letter case.
  const std::string* dynamic(std::string_view name) const;
};

/// The lists of rules.md 4 to the letter: every remembered event, whole, in each list that it feeds. Slow and
/// without a bound but `events_max`; the oracle that the windows are tested against.
class complete_lists {
public:
  explicit complete_lists(std::size_t events_max)
      : events_max_(events_max) {}

  void remember(const rule& verdict, const event& ev, std::int64_t second, std::int32_t mark,
                const ruleset& rules);
  void set_mark(bool global, std::uint64_t sequence, std::int32_t mark);

  /// Newest last; an event stands as often as its verdict has places. Null: nothing was entered.
  const std::deque<std::uint64_t>* list(std::uint32_t number) const;
  const complete_record* record(std::uint64_t sequence) const;

private:
  std::size_t events_max_;
  std::uint64_t first_sequence_ = 1;
  std::deque<complete_record> records_;
  std::unordered_map<std::uint32_t, std::deque<std::uint64_t>> lists_;
};

/// rules.md 4.5 to the letter.
bool comparable(const rule& composite, const complete_record& earlier, const event& now,
                const slot_names& slots);

} // namespace picket::engine
