#pragma once

#include "engine/load/rule_reader.hpp"

#include <span>
#include <string_view>

namespace picket::engine {

/// Positions in the order of conditions, rules.md 3.2.
namespace condition_order {
inline constexpr std::uint8_t decoded_as = 1, program_name = 2, id = 3, system_name = 4, protocol = 5,
                              match = 6, regex = 7, action = 8, url = 9, location = 10, field = 11,
                              srcip = 12, dstip = 13, srcport = 14, dstport = 15, compiled_rule = 16,
                              user = 17, srcgeoip = 18, dstgeoip = 19, maxsize = 20, time = 21, weekday = 22,
                              data = 23, extra_data = 24, hostname = 25, status = 26, check_diff = 27,
                              if_fts = 28, list = 29;
}

/// How one child element of `<rule>` is read.
struct element_spec {
  const char* name;
  void (rule_reader::*handle)(const xml::element&, const element_spec&);
  std::uint8_t order = 0;
  engine::operand operand = {};
  engine::language language = engine::language::osmatch;
  bool exact_case = false; ///< rules.md 1.2: a few names must be in lower case
};

std::span<const element_spec> element_specs();

/// The spec of a child element's name; null if there is none.
const element_spec* find_element(std::string_view name);
/// The same among all child elements of `<rule>`.
std::string suggest_element(std::string_view name);
/// How to mend a pattern that does not compile; the text says where it is wrong.
inline constexpr auto pattern_hint =
    "mend the pattern there; a character that stands for itself needs a backslash";

/// "did you mean 'x'?"; where none is near, what there is. Never empty.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

} // namespace picket::engine
