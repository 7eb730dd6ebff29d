#pragma once

#include "engine/event/event.hpp"
#include "engine/load/diagnostic.hpp"
#include "engine/load/lists.hpp"
#include "engine/load/time_window.hpp"
#include "engine/match/address.hpp"
#include "engine/match/pattern.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace picket::engine {

/// A value of an event that rules name. `user` of conditions is dstuser, else srcuser; `list_user` the other
/// way round (rules.md 1.5). `geo` is absent in every event.
enum class operand_kind : std::uint8_t {
  log,
  program_name,
  hostname,
  location,
  fixed,
  user,
  list_user,
  dynamic,
  geo
};

struct operand {
  operand_kind kind = operand_kind::log;
  static_field field = static_field::srcip; ///< for `fixed`
  std::uint16_t slot = 0;                   ///< for `dynamic`: number of the name in `slot_names`

  friend bool operator==(const operand&, const operand&) = default;
  friend auto operator<=>(const operand&, const operand&) = default;
};

/// Names of dynamic fields that rules mention, in lower case, each once. A slot is the number of a name.
class slot_names {
public:
  /// Numbers past 65,535 do not exist: then the last one is given and `overflow` is set.
  std::uint16_t number_of(std::string_view name);
  std::string_view name_of(std::uint16_t slot) const { return names_[slot]; }
  std::size_t size() const noexcept { return names_.size(); }
  bool overflow() const noexcept { return overflow_; }

private:
  std::vector<std::string> names_;
  std::unordered_map<std::string, std::uint16_t> numbers_;
  bool overflow_ = false;
};

/// As in rule files; for a dynamic field its name in lower case.
std::string name_of(const operand& value, const slot_names& slots);

/// The compiled rules of rules.md 3.7.
enum class compiled_rule : std::uint8_t {
  same_users,
  id_size,
  simple_http_request,
  valid_crawler,
  windows_users_differ
};

enum class lookup_kind : std::uint8_t {
  match_key,
  not_match_key,
  match_key_value,
  address_match_key,
  not_address_match_key,
  address_match_key_value
};

/// A `list` element (rules.md 1.5).
struct list_condition {
  std::string path;
  const cdb_list* list = nullptr;
  engine::operand operand;
  lookup_kind lookup = lookup_kind::match_key;
  std::optional<pattern> check_value;
};

/// An `srcip` or `dstip` condition: any of the ranges, then `negate`.
struct address_condition {
  std::vector<address_range> ranges;
  bool negate = false;
};

/// In the order in which a rule tests its conditions (rules.md 3.2), but for the look-back, which is last.
enum class condition_kind : std::uint8_t {
  decoded_as,
  text,
  address,
  compiled,
  size,
  time,
  weekday,
  check_diff,
  if_fts,
  list
};

/// One condition on the current event. Only the members of its kind mean something.
struct condition {
  condition_kind kind = condition_kind::text;
  engine::operand operand;
  std::uint8_t order = 0;   ///< position in rules.md 3.2
  const char* element = ""; ///< name in rule files
  std::uint32_t number = 0; ///< decoder identity, bytes, compiled_rule, weekday bits
  pattern text;             ///< kind `text`
  time_window time;
  std::unique_ptr<address_condition> address;
  std::unique_ptr<list_condition> list;
};

/// Which list of remembered events a composite reads (rules.md 4.2).
enum class look_back_kind : std::uint8_t { none, id, group, all };

inline constexpr std::uint32_t no_list = 0xFFFFFFFF;

/// Section 4 of rules.md for one rule.
struct look_back {
  bool active = false; ///< the rule has a look-back at all
  look_back_kind kind = look_back_kind::none;
  std::uint32_t list = no_list; ///< number in `ruleset::lists`; no_list: never holds
  std::uint32_t index = 0;      ///< number in `ruleset::indexes`
  bool global = false;          ///< global_frequency
  std::optional<pattern> regex; ///< if_matched_regex
  std::vector<engine::operand> same;
  std::vector<engine::operand> different;
  std::vector<std::uint16_t> same_fields;     ///< slots
  std::vector<std::uint16_t> not_same_fields; ///< slots
};

/// A piece of a description: literal text, or the value of an operand.
struct description_part {
  std::string literal;
  std::optional<engine::operand> value;
};

struct mitre_ids {
  std::vector<std::string> techniques;                    ///< old form
  std::vector<std::pair<std::string, std::string>> pairs; ///< (techniqueID, tacticID)
};

/// What `rule.mitre` of alerts shows (rules.md 6.8). No object if `tactics` is empty.
struct mitre_names {
  std::vector<std::string> ids;
  std::vector<std::string> tactics;
  std::vector<std::string> techniques;
};

/// Pieces of alerts.json that do not depend on the event, escaped (engine.md 3.9). Made by render/fragments.
struct rule_fragments {
  std::string head;        ///< `"rule":{"level":5,"description":"`
  std::string description; ///< escaped, when it has no variable part
  std::string middle;      ///< behind the description up to firedtimes
  std::string tail;        ///< from `,"mail"` to the closing brace
};

/// One rule (rules.md 1). Immutable after load.
struct rule {
  std::uint32_t id = 0;
  std::uint32_t index = 0; ///< position in `ruleset::rules`
  int declared_level = 0;
  int level = 0; ///< effective, rules.md 2.3
  int key = 0;   ///< orders siblings, rules.md 2.3
  std::uint32_t timeframe_s = 360;
  std::uint32_t ignore_s = 0;
  std::optional<std::uint32_t> frequency;
  bool noalert = false;
  bool accuracy_zero = false;
  bool root = false;
  event_type category = event_type::syslog;

  std::vector<condition> conditions; ///< in the order of rules.md 3.2
  engine::look_back look_back;
  bool has_check_diff = false;

  bool writes_alert = false; ///< rules.md 7; never for effective level 0
  bool mail = false;
  bool no_active_response = false;
  bool no_full_log = false;
  bool no_counter = false;
  bool shows_frequency = false;

  std::string description; ///< as written, joined
  std::vector<description_part> description_parts;
  std::string group_text;
  std::vector<std::string> groups;
  std::vector<std::pair<std::string, std::vector<std::string>>> compliance; ///< in order of first appearance
  std::string info;
  std::string cve;
  engine::mitre_ids mitre_ids;
  mitre_names mitre;
  rule_fragments fragments;

  engine::place place;
  std::uint64_t digest = 0; ///< of its elements, attributes and group name

  /// Lists that a verdict of this rule is remembered in: (list, times), rules.md 4.1 and 4.2.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> group_lists;
  std::uint32_t id_list = no_list;
  std::uint32_t places = 0;

  bool composite() const noexcept { return look_back.active && !has_check_diff; }
  /// Entries of the list that must be counted before one more completes the look-back (rules.md 4.3).
  std::uint32_t needed() const noexcept { return frequency && *frequency > 2 ? *frequency - 2 : 0; }
};

} // namespace picket::engine
