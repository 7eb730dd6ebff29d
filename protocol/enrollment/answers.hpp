#pragma once

#include "protocol/enrollment/request.hpp"

#include <string>
#include <string_view>

#include <tl/expected.hpp>

/// What the server says on port 1515 (agent-protocol 1.9). No line end; one write, so that it is one TLS
/// record.

namespace picket::protocol {

struct enrollment_answer {
  std::string id;
  std::string name;
  std::string address; ///< "any", the address, or the range as registered
  std::string key;

  friend bool operator==(const enrollment_answer&, const enrollment_answer&) = default;
};

/// `OSSEC K:'<id> <name> <ip> <key>'`
std::string format_enrollment_answer(const enrollment_answer& answer);
/// `ERROR: <text>. Unable to add agent`
std::string format_enrollment_refusal(std::string_view text);

/// The texts of refusals.
namespace refusal {
inline constexpr std::string_view invalid_password = "Invalid password";
inline constexpr std::string_view invalid_request = "Invalid request for new agent";
inline constexpr std::string_view version_too_high =
    "Agent version must be lower or equal to manager version";
std::string invalid_name(std::string_view name);
std::string invalid_address(std::string_view address);
std::string duplicate_address(std::string_view address);
std::string duplicate_name(std::string_view name);
std::string internal_error(std::string_view name);
} // namespace refusal

/// The text that the reference answers to a line that does not parse.
std::string refusal_of(const enrollment_error& err);

/// For the simulator: the answer as an agent reads it; what does not read is an error whose text says so, a
/// refusal an error with the server's text.
tl::expected<enrollment_answer, std::string> parse_enrollment_answer(std::string_view text);

} // namespace picket::protocol
