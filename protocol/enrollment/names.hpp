#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Names of agents and groups (agent-protocol 1.4, 1.6).

namespace picket::protocol {

inline constexpr std::size_t shortest_agent_name = 2;
inline constexpr std::size_t longest_agent_name = 128;
inline constexpr std::size_t longest_key = 127;
inline constexpr std::size_t longest_group_name = 255;
inline constexpr std::size_t max_groups_per_agent = 128;

/// 2..128 of A-Z a-z 0-9 - _ . and no leading dot.
bool is_valid_agent_name(std::string_view name) noexcept;
/// Agents want of a key what they want of a name, and at most 127 characters.
bool is_valid_agent_key(std::string_view key) noexcept;
/// 1..255 of A-Z a-z 0-9 - _ . and neither "." nor "..".
bool is_valid_group_name(std::string_view name) noexcept;

/// Step 1 of the group rules, over the whole value: the text of the refusal, or nothing. Linear.
std::optional<std::string> group_syntax_fault(std::string_view groups);
/// Members in their order, doubles removed. @pre no syntax fault.
std::vector<std::string> split_groups(std::string_view groups);
/// Step 2 without the question whether a group exists: the text of the refusal, or nothing.
std::optional<std::string> group_member_fault(const std::vector<std::string>& groups);
/// The refusal where a group does not exist.
std::string unknown_group_text(std::string_view group);

} // namespace picket::protocol
