#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

/// The one line that an agent sends to port 1515 (agent-protocol 1.2, 1.3):
/// `[OSSEC PASS: <password> ]OSSEC A:'<name>'[ V:'…'][ G:'…'][ IP:'…'][ K:'…']`

namespace picket::protocol {

/// Largest request, line end included.
inline constexpr std::size_t max_enrollment_request_bytes = 69'632;

/// The fields as sent. All views point into the parsed line. An absent field is empty; none may be sent
/// empty.
struct enrollment_request {
  std::string_view password;
  std::string_view name;     ///< 2..128 of A-Z a-z 0-9 - _ . and no leading dot
  std::string_view version;  ///< for example "v4.14.7"; at most 2048 bytes
  std::string_view groups;   ///< comma separated, syntax checked
  std::string_view address;  ///< "src…": the connection's; else a valid address or range; at most 46 bytes
  std::string_view key_hash; ///< at most 40 bytes
  /// What follows the last field understood. The reference ignores it without a word, so it is accepted here
  /// too; the caller counts and logs it.
  std::string_view ignored;

  /// The agent asks for the connection's source address.
  bool wants_source_address() const noexcept { return address.substr(0, 3) == "src"; }
};

/// Numbers are pinned: they are labels of a metric.
enum class enrollment_errc : std::uint8_t {
  too_long = 1,
  no_agent_name = 2,  ///< no `OSSEC A:'` where it should stand
  unclosed_field = 3, ///< the closing quote is missing, or the value is too long
  empty_field = 4,
  bad_agent_name = 5,
  bad_groups = 6,
  bad_address = 7,
};

struct enrollment_error {
  enrollment_errc code = enrollment_errc::no_agent_name;
  std::size_t offset = 0; ///< byte of the line at which it went wrong
  std::string_view field; ///< "PASS", "A", "V", "G", "IP" or "K"; empty: none
  std::string_view value; ///< the field's value, where it has an end
};

std::string_view name_of(enrollment_errc code) noexcept;
/// For the log: what went wrong and where.
std::string to_string(const enrollment_error& err);

/// Parses one line, given without its "\n". Fields stand in the order PASS A V G IP K; what is out of order
/// ends up in `ignored`. Linear in the input.
tl::expected<enrollment_request, enrollment_error> parse_enrollment_request(std::string_view line) noexcept;

/// The line of a request, without "\n"; the inverse of parsing.
std::string format_enrollment_request(const enrollment_request& request);

/// Where the server wants a password: the line behind `OSSEC PASS: <password> `, or nothing if it is absent
/// or wrong. Compares in constant time. To be called before anything else looks at the line.
std::optional<std::string_view> strip_password(std::string_view line, std::string_view password) noexcept;

} // namespace picket::protocol
