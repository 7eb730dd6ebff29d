#pragma once

#include <string>

#include "node/picketctl/api_call.hpp"

namespace picket::ctl {

/// A member as text: strings as they are, numbers and booleans written out, lists with commas; empty if
/// absent.
std::string member_text(const json& object, const char* name);

/// Agents of a listing as a table for people.
std::string agents_table(const json& items);
/// All that is known of one agent.
std::string agent_details(const json& agent);
std::string groups_table(const json& items);
std::string letters_table(const json& items);
/// One dead letter.
std::string letter_details(const json& letter);

} // namespace picket::ctl
