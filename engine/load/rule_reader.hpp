#pragma once

#include "engine/load/decoders.hpp"
#include "engine/load/rules.hpp"
#include "engine/load/techniques.hpp"
#include "engine/xml/reader.hpp"

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace picket::engine {

/// CDB lists by the name that rules use, without ".cdb".
using list_table = std::unordered_map<std::string, std::unique_ptr<cdb_list>>;

/// Settings that act while rules are loaded.
struct rule_options {
  int log_alert_level = 3;
  int email_alert_level = 12;
  std::uint32_t default_timeframe_s = 360;
  std::size_t order_size = 256; ///< most `field` conditions of one rule
};

/// How often each element and attribute was read, for the table of rules.md 12.
struct rule_element_counts {
  std::map<std::string, std::size_t> elements;      ///< by name, and "element type=pcre2", "element negate"
  std::map<std::string, std::size_t> attributes;    ///< of `rule`
  std::map<std::string, std::size_t> not_evaluated; ///< attributes of elements that have no effect there
};

/// What the reader needs to know and where it reports.
struct rule_environment {
  const decoder_tree& decoders;
  const list_table& lists;
  const technique_table& techniques;
  const rule_options& options;
  slot_names& slots;
  diagnostics& out;
  rule_element_counts& counts;
};

/// A rule as read, before it has a place in the tree.
struct rule_draft {
  std::unique_ptr<engine::rule> rule;
  bool overwrite = false;
  std::optional<std::string> if_sid;
  std::optional<std::string> if_level;
  std::optional<std::string> if_group;
  std::optional<std::string> if_matched_sid;
  std::optional<std::string> if_matched_group;
  engine::place if_sid_place;
};

struct element_spec;

/// Reads one `<rule>` element (rules.md 1.3 to 1.8). One object per rule.
class rule_reader {
public:
  rule_reader(rule_environment& env, std::string_view group_name, const xml::element& element);

  /// Nothing if the rule is refused (an error was reported: the load fails) or dropped (a warning was
  /// reported).
  std::optional<rule_draft> read();

  // The known elements, by what they are for: conditions of rules.md 1.4 and 1.5, placement of 1.6 and 1.7,
  // comparisons of 4.5, output of 1.8.
  static std::vector<element_spec> condition_specs();
  static std::vector<element_spec> placement_specs();
  static std::vector<element_spec> comparison_specs();
  static std::vector<element_spec> output_specs();
  /// Attributes that an element evaluates; those of `list` are not among them.
  static std::vector<std::string_view> attributes_of(const element_spec& spec);

private:
  /// Texts of one name put together (rules.md 1.4 "joined").
  struct joined {
    std::string text;
    std::optional<engine::language> type;
    bool negate = false;
    bool given = false;
    std::size_t pieces = 0;
    const element_spec* spec = nullptr;
    engine::place place;
  };

  // Reports.
  void report(severity how, const engine::place& where, std::string code, std::string text, std::string hint);
  void error(const engine::place& where, std::string code, std::string text, std::string hint);
  void warning(const engine::place& where, std::string code, std::string text, std::string hint);
  void drop(const engine::place& where, std::string code, std::string text, std::string hint);

  // Attributes.
  void read_attributes();
  void read_attribute(const xml::attribute& attribute);
  std::optional<std::uint32_t> digits(const xml::attribute& attribute, std::size_t most_digits);
  void read_id(const xml::attribute& attribute);
  void read_level(const xml::attribute& attribute);
  void read_number(const xml::attribute& attribute);
  void read_flag(const xml::attribute& attribute);
  void check_required();

  // Elements, one handler per kind.
  void read_element(const xml::element& child);
  void count_attribute(const xml::attribute& attribute, const element_spec& spec);
  void on_joined(const xml::element& child, const element_spec& spec);
  void on_field(const xml::element& child, const element_spec& spec);
  void on_address(const xml::element& child, const element_spec& spec);
  void on_list(const xml::element& child, const element_spec& spec);
  void on_decoded_as(const xml::element& child, const element_spec& spec);
  void on_category(const xml::element& child, const element_spec& spec);
  void on_time(const xml::element& child, const element_spec& spec);
  void on_weekday(const xml::element& child, const element_spec& spec);
  void on_compiled(const xml::element& child, const element_spec& spec);
  void on_flag(const xml::element& child, const element_spec& spec);
  void on_placement(const xml::element& child, const element_spec& spec);
  void on_same(const xml::element& child, const element_spec& spec);
  void on_different(const xml::element& child, const element_spec& spec);
  void on_same_field(const xml::element& child, const element_spec& spec);
  void on_without_effect(const xml::element& child, const element_spec& spec);
  void on_description(const xml::element& child, const element_spec& spec);
  void on_text(const xml::element& child, const element_spec& spec);
  void on_option(const xml::element& child, const element_spec& spec);
  void on_mitre(const xml::element& child, const element_spec& spec);
  void on_ignore(const xml::element& child, const element_spec& spec);

  bool join(joined& to, const xml::element& child, std::string_view piece);
  std::optional<engine::language> type_of(const xml::element& child);
  bool negate_of(const xml::element& child);
  condition& add_condition(condition_kind kind, const element_spec& spec);
  bool read_list_attributes(const xml::element& child, list_condition& to);
  void keep_last_only(std::uint8_t order);

  // After the last element.
  void finish_levels();
  void finish_patterns();
  void finish_look_back();
  void finish_options();
  void finish_texts();

  rule_environment& env_;
  std::string_view group_name_;
  const xml::element& element_;
  rule_draft draft_;
  bool failed_ = false;
  bool dropped_ = false;
  bool level_given_ = false;
  bool id_given_ = false;
  std::uint32_t maxsize_ = 0;
  std::size_t fields_ = 0;
  bool window_options_ = false;
  std::string window_option_name_;
  std::map<std::uint8_t, joined> joined_conditions_; ///< by position in rules.md 3.2
  joined if_sid_, if_level_, if_group_, if_matched_group_, if_matched_regex_, description_, group_, info_,
      cve_;
  std::optional<std::string> if_matched_sid_;
  std::vector<std::string> options_;
};

/// Splits a group text as alerts show it (rules.md 6.6, 6.7): its first 1,023 bytes.
void split_groups(std::string_view group_text, std::vector<std::string>& groups,
                  std::vector<std::pair<std::string, std::vector<std::string>>>& compliance);

/// Cuts a description template into literal pieces and names (rules.md 6.5).
std::vector<description_part> split_description(std::string_view text, slot_names& slots);

} // namespace picket::engine
