#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Control messages, both ways (agent-protocol 3.1 to 3.4). They begin with `#!-`; blanks at the end matter.

namespace picket::protocol {

inline constexpr std::string_view control_mark = "#!-";
inline constexpr std::string_view ack_message = "#!-agent ack ";
inline constexpr std::string_view shutdown_message = "#!-agent shutdown ";
inline constexpr std::string_view force_reconnect_message = "#!-force_reconnect";
/// The answers to a start-up that is refused, as the agent logs them.
inline constexpr std::string_view version_too_high_text =
    "Agent version must be lower or equal to manager version";
inline constexpr std::string_view version_missing_text = "Couldn't retrieve version";
inline constexpr std::string_view key_in_use_text =
    "Agent key already in use: another connection with this key is alive";

inline bool is_control(std::string_view message) noexcept {
  return message.substr(0, control_mark.size()) == control_mark;
}

// ---- agent to server ----

enum class control_kind : std::uint8_t {
  startup,        ///< body: what follows `agent startup `: JSON or nothing
  shutdown,       ///< body is empty
  keepalive,      ///< body: everything behind the mark
  request_answer, ///< body: counter, blank, bytes that may be binary
  malformed,      ///< anything else without a line break; log it, no answer
};

struct control_message {
  control_kind kind = control_kind::malformed;
  std::string_view body; ///< points into the message
};

/// @pre is_control(message). Constant time but for the search of a line break.
control_message classify_control(std::string_view message) noexcept;

/// Each byte that is no valid UTF-8 becomes U+FFFD. Every control text but a request's answer goes through
/// it.
std::string with_valid_utf8(std::string_view text);

enum class version_verdict : std::uint8_t {
  accepted,
  too_high, ///< answer `#!-err` with version_too_high_text; status code 1
  missing,  ///< JSON without a version: version_missing_text; status code 2, whatever the option says
};

struct version_policy {
  std::string server_version = "v4.14.7"; ///< what this server counts as
  bool allow_higher = true;
};

/// Compares major and minor only, of the first nine characters; there is no lower bound.
bool is_higher_version(std::string_view agent, std::string_view server) noexcept;
version_verdict check_startup(std::string_view startup_body, const version_policy& policy);
/// The version that a start-up names, or empty.
std::string startup_version(std::string_view startup_body);

struct agent_label {
  std::string key;
  std::string value;
  bool hidden = false; ///< `!`: not shown in alerts
  bool system = false; ///< `#`

  friend bool operator==(const agent_label&, const agent_label&) = default;
};

/// What an agent says about itself every 20 s.
struct keepalive {
  std::string uname;
  std::string version;    ///< "Wazuh v4.14.7"
  std::string config_sum; ///< MD5 of agent.conf; empty: it has none
  std::string merged_sum; ///< MD5 of merged.mg, "x": it has none; empty: the line is missing
  std::string agent_ip;   ///< empty: unknown
  std::vector<agent_label> labels;

  friend bool operator==(const keepalive&, const keepalive&) = default;
};

/// Reads a keep-alive's body line by line; what is not understood is skipped. Linear in the text.
keepalive parse_keepalive(std::string_view body);

/// The operating system as the uname of a keep-alive describes it; unknown parts are empty.
struct os_identity {
  std::string name;
  std::string version;
  std::string major;
  std::string minor;
  std::string build;
  std::string codename;
  std::string platform;
  std::string architecture;
  std::string hostname;

  friend bool operator==(const os_identity&, const os_identity&) = default;
};

os_identity parse_uname(std::string_view uname);

// For the simulator: the agent's side.
std::string format_startup(std::string_view version); ///< empty: the form without JSON
std::string format_keepalive(const keepalive& value);
std::string format_request_answer(std::string_view counter, std::string_view text);

// ---- server to agent ----

/// `#!-err {"message":"…"}`, the only text that reaches the agent's own log.
std::string format_err(std::string_view text);

enum class server_message_kind : std::uint8_t {
  ack,
  err, ///< body: the text
  force_reconnect,
  request,         ///< body: counter, target, payload
  active_response, ///< body: the text
  file_begin,      ///< body: MD5, blank, name
  file_end,
  other, ///< unknown control message, or a chunk of a file
};

struct server_message {
  server_message_kind kind = server_message_kind::other;
  std::string body;
};

server_message parse_server_message(std::string_view message);

} // namespace picket::protocol
