#include "protocol/enrollment/answers.hpp"

#include "protocol/enrollment/address.hpp"
#include "protocol/enrollment/names.hpp"

#include <algorithm>
#include <array>

namespace picket::protocol {

namespace {

constexpr std::string_view success_mark = "OSSEC K:'";
constexpr std::string_view error_mark = "ERROR: ";
constexpr std::string_view error_end = ". Unable to add agent";

std::string joined(std::string_view text, std::string_view value) { return std::string{text}.append(value); }

} // namespace

std::string format_enrollment_answer(const enrollment_answer& answer) {
  std::string text{success_mark};
  return text.append(answer.id + ' ' + answer.name + ' ' + answer.address + ' ' + answer.key).append("'");
}

std::string format_enrollment_refusal(std::string_view text) {
  return std::string{error_mark}.append(text).append(error_end);
}

namespace refusal {

std::string invalid_name(std::string_view name) { return joined("Invalid agent name: ", name); }
std::string invalid_address(std::string_view address) { return joined("Invalid IP: ", address); }
std::string duplicate_address(std::string_view address) { return joined("Duplicate IP: ", address); }
std::string duplicate_name(std::string_view name) { return joined("Duplicate agent name: ", name); }
std::string internal_error(std::string_view name) {
  return joined("Internal manager error adding agent: ", name);
}

} // namespace refusal

std::string refusal_of(const enrollment_error& err) {
  auto unterminated = [&]() -> std::string {
    if (err.field == "V") return "Unterminated version field";
    if (err.field == "G") return "Unterminated group field";
    if (err.field == "IP") return "Unterminated IP field";
    if (err.field == "K") return "Unterminated key field";
    return std::string{refusal::invalid_request};
  };
  switch (err.code) {
  case enrollment_errc::too_long:
  case enrollment_errc::no_agent_name:
    return std::string{refusal::invalid_request};
  case enrollment_errc::unclosed_field:
    return unterminated();
  case enrollment_errc::empty_field:
    if (err.field == "G") return group_syntax_fault({}).value_or("");
    if (err.field == "IP") return refusal::invalid_address({});
    return unterminated();
  case enrollment_errc::bad_agent_name:
    return refusal::invalid_name(err.value);
  case enrollment_errc::bad_groups:
    return group_syntax_fault(err.value).value_or(std::string{refusal::invalid_request});
  case enrollment_errc::bad_address:
    return refusal::invalid_address(err.value);
  }
  return std::string{refusal::invalid_request};
}

tl::expected<enrollment_answer, std::string> parse_enrollment_answer(std::string_view text) {
  if (text.substr(0, error_mark.size()) == error_mark) {
    text.remove_prefix(error_mark.size());
    while (!text.empty() && text.back() == '\n')
      text.remove_suffix(1);
    if (text.size() >= error_end.size() && text.substr(text.size() - error_end.size()) == error_end)
      text.remove_suffix(error_end.size());
    return tl::unexpected(std::string{text});
  }
  auto broken = [](const char* what) { return tl::unexpected(std::string{"unreadable answer: "} + what); };
  if (text.substr(0, success_mark.size()) != success_mark) return broken("it begins with no known word");
  text.remove_prefix(success_mark.size());
  auto end = text.find('\'');
  if (end == std::string_view::npos) return broken("no closing quote");
  text = text.substr(0, end);
  std::array<std::string_view, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto space = text.find(' ');
    if ((space == std::string_view::npos) != (i + 1 == parts.size())) return broken("not four parts");
    parts[i] = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  bool digits = std::all_of(parts[0].begin(), parts[0].end(), [](char c) { return c >= '0' && c <= '9'; });
  if (parts[0].empty() || parts[0].size() > 8 || !digits) return broken("the id");
  if (!is_valid_agent_name(parts[1])) return broken("the name");
  if (!parse_agent_address(parts[2])) return broken("the address");
  if (!is_valid_agent_key(parts[3])) return broken("the key");
  enrollment_answer answer;
  answer.id = parts[0];
  answer.name = parts[1];
  answer.address = parts[2];
  answer.key = parts[3];
  return answer;
}

} // namespace picket::protocol
