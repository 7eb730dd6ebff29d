#include "protocol/enrollment/names.hpp"

#include <algorithm>
#include <set>

namespace picket::protocol {

namespace {

constexpr std::string_view prohibited_text = R"(characters '\/:*?"<>|,' are prohibited)";
constexpr std::size_t longest_multigroup = 65'535;

bool is_name_char(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
         || c == '.';
}

bool is_group_char(char c) noexcept {
  return is_name_char(c) || std::string_view{":;=+!@()"}.find(c) != std::string_view::npos;
}

std::string group_fault(std::string_view shown, std::string_view what) {
  std::string text = "Invalid group name: ";
  text.append(shown.substr(0, longest_group_name)).append("... ").append(what);
  return text;
}

/// Calls `visit` for each part between commas until it answers false.
template <class Visit>
void each_member(std::string_view groups, Visit visit) {
  for (std::size_t begin = 0;;) {
    auto end = groups.find(',', begin);
    if (!visit(groups.substr(begin, end == std::string_view::npos ? end : end - begin))) return;
    if (end == std::string_view::npos) return;
    begin = end + 1;
  }
}

} // namespace

bool is_valid_agent_name(std::string_view name) noexcept {
  return name.size() >= shortest_agent_name && name.size() <= longest_agent_name && name[0] != '.'
         && std::all_of(name.begin(), name.end(), is_name_char);
}

bool is_valid_agent_key(std::string_view key) noexcept {
  return is_valid_agent_name(key) && key.size() <= longest_key;
}

bool is_valid_group_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= longest_group_name && name != "." && name != ".."
         && std::all_of(name.begin(), name.end(), is_name_char);
}

std::optional<std::string> group_syntax_fault(std::string_view groups) {
  if (groups.empty()) return "Invalid group name: Empty Group";
  const bool several = groups.find(',') != std::string_view::npos;
  if (!several && groups.size() > longest_group_name) return group_fault(groups, "group is too large");
  if (several) {
    if (groups.size() > longest_multigroup) return group_fault(groups, "multigroup is too large");
    if (groups.find(' ') != std::string_view::npos)
      return group_fault(groups, "white spaces are not allowed");
    std::optional<std::string_view> large;
    each_member(groups, [&](std::string_view member) {
      if (member.size() > longest_group_name) large = member;
      return !large;
    });
    if (large) return group_fault(*large, "group is too large");
    if (groups.find(",,") != std::string_view::npos)
      return group_fault(groups, "consecutive ',' are not allowed");
    if (groups == ",") return group_fault(groups, prohibited_text);
    if (groups.front() == ',' || groups.back() == ',')
      return group_fault(groups, "cannot start or end with ','");
  }
  for (char c : groups)
    if (!is_group_char(c) && c != ',') return group_fault(groups, prohibited_text);
  return std::nullopt;
}

std::vector<std::string> split_groups(std::string_view groups) {
  std::vector<std::string> members;
  std::set<std::string_view> seen;
  each_member(groups, [&](std::string_view member) {
    if (seen.insert(member).second) members.emplace_back(member);
    return true;
  });
  return members;
}

std::optional<std::string> group_member_fault(const std::vector<std::string>& groups) {
  if (groups.size() > max_groups_per_agent) return "Maximum multigroup reached: Limit is 128";
  for (const auto& group : groups)
    if (!is_valid_group_name(group)) return "Invalid group name: " + group;
  return std::nullopt;
}

std::string unknown_group_text(std::string_view group) { return "Invalid group: " + std::string{group}; }

} // namespace picket::protocol
