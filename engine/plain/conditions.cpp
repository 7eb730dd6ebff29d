#include "engine/plain/conditions.hpp"

#include "engine/load/decoders.hpp"

#include <algorithm>
#include <array>

namespace picket::engine {

namespace {

bool starts_with_crawler(std::string_view log) {
  constexpr std::array<std::string_view, 8> prefixes{"66.249.", "72.14.", "209.85.", "65.55.",
                                                     "207.46.", "74.6.",  "72.30.",  "67.195."};
  return std::any_of(prefixes.begin(), prefixes.end(), [&](auto p) { return log.substr(0, p.size()) == p; });
}

/// What follows the first colon behind `name`; nothing if either is missing.
std::optional<std::string_view> text_behind(std::string_view log, std::string_view name) {
  const auto at = log.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  const auto colon = log.find(':', at + name.size());
  if (colon == std::string_view::npos) return std::nullopt;
  return log.substr(colon + 1);
}

bool windows_users_differ(std::string_view log) {
  const auto target = text_behind(log, "Target Account Name");
  const auto caller = text_behind(log, "Caller User Name");
  if (!target || !caller) return false;
  for (std::size_t i = 0; i < target->size(); ++i) {
    const char c = (*target)[i];
    if (c == '\t' || (c == ' ' && i + 1 < target->size() && (*target)[i + 1] == ' ')) return false;
    if (i >= caller->size() || (*caller)[i] != c) return true;
  }
  return false;
}

bool compiled_holds(compiled_rule which, const event& ev) {
  switch (which) {
  case compiled_rule::same_users: {
    const auto source = ev.get(static_field::srcuser);
    const auto target = ev.get(static_field::dstuser);
    return !source || !target || *source == *target;
  }
  case compiled_rule::id_size: {
    const auto id = ev.get(static_field::id);
    return id && id->size() >= 10;
  }
  case compiled_rule::simple_http_request: {
    const auto url = ev.get(static_field::url);
    return url && url->find('?') == std::string_view::npos;
  }
  case compiled_rule::valid_crawler:
    return starts_with_crawler(ev.log);
  case compiled_rule::windows_users_differ:
    return windows_users_differ(ev.log);
  }
  return false;
}

bool address_holds(const address_condition& tested, std::string_view value) {
  // A value that is no address is "not found", which a negated condition takes (rules.md 1.4).
  const auto address = parse_address(value);
  const bool found = address
                     && std::any_of(tested.ranges.begin(), tested.ranges.end(),
                                    [&](const auto& range) { return range.contains(*address); });
  return found != tested.negate;
}

bool list_holds(const list_condition& tested, std::string_view value, match_scratch& scratch) {
  const auto checked = [&](std::optional<std::string_view> found) {
    return found && tested.check_value && tested.check_value->holds(*found, scratch);
  };
  switch (tested.lookup) {
  case lookup_kind::match_key:
    return tested.list->find(value).has_value();
  case lookup_kind::not_match_key:
    return !tested.list->find(value);
  case lookup_kind::match_key_value:
    return checked(tested.list->find(value));
  case lookup_kind::address_match_key:
    return tested.list->find_address(value).has_value();
  case lookup_kind::not_address_match_key:
    return !tested.list->find_address(value);
  case lookup_kind::address_match_key_value:
    return checked(tested.list->find_address(value));
  }
  return false;
}

} // namespace

void event_values::begin(const event& ev, const slot_names& slots) {
  event_ = &ev;
  names_ = &slots;
  moment_.reset();
  if (slots_.size() < slots.size()) slots_.resize(slots.size());
  if (++epoch_ == 0) {
    std::fill(slots_.begin(), slots_.end(), slot{});
    epoch_ = 1;
  }
}

std::optional<std::string_view> event_values::get(const operand& of) {
  const auto& ev = *event_;
  switch (of.kind) {
  case operand_kind::log:
    return ev.log;
  case operand_kind::program_name:
    return ev.program_name;
  case operand_kind::hostname:
    return ev.hostname;
  case operand_kind::location:
    return std::string_view{ev.source->rule_location};
  case operand_kind::fixed:
    return ev.get(of.field);
  case operand_kind::user: {
    const auto target = ev.get(static_field::dstuser);
    return target ? target : ev.get(static_field::srcuser);
  }
  case operand_kind::list_user: {
    const auto source = ev.get(static_field::srcuser);
    return source ? source : ev.get(static_field::dstuser);
  }
  case operand_kind::dynamic: {
    auto& at = slots_[of.slot];
    if (at.epoch != epoch_) {
      at.epoch = epoch_;
      at.value = ev.dynamic(names_->name_of(of.slot));
    }
    return at.value;
  }
  case operand_kind::geo:
    return std::nullopt;
  }
  return std::nullopt;
}

const local_moment& event_values::moment() {
  if (!moment_) {
    // Whole seconds, towards the past also before 1970.
    const auto ms = event_->arrival_ms;
    moment_ = local_moment_of(ms / 1000 - (ms % 1000 < 0 ? 1 : 0), event_->utc_offset_s);
  }
  return *moment_;
}

bool condition_holds(const condition& tested, event_values& values, match_scratch& scratch) {
  const auto& ev = values.current();
  switch (tested.kind) {
  case condition_kind::decoded_as:
    return ev.decoder && ev.decoder->identity == tested.number;
  case condition_kind::text: {
    // Absent: does not hold, negated or not (rules.md 1.4).
    const auto value = values.get(tested.operand);
    return value && tested.text.holds(*value, scratch);
  }
  case condition_kind::address: {
    const auto value = values.get(tested.operand);
    return value && address_holds(*tested.address, *value);
  }
  case condition_kind::compiled:
    return compiled_holds(static_cast<compiled_rule>(tested.number), ev);
  case condition_kind::size:
    return ev.log.size() >= tested.number;
  case condition_kind::time:
    return tested.time.contains(values.moment().minute_of_day);
  case condition_kind::weekday:
    return (tested.number >> values.moment().weekday & 1) != 0;
  case condition_kind::list: {
    const auto value = values.get(tested.list->operand);
    return value && list_holds(*tested.list, *value, scratch);
  }
  case condition_kind::check_diff:
  case condition_kind::if_fts:
    break; // they look at state: plain/rules.cpp
  }
  return false;
}

} // namespace picket::engine
