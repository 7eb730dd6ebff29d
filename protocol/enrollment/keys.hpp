#pragma once

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/ids.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Keys of agents, the file that holds them, and the password file (agent-protocol 1.7, 1.10, 1.11).

namespace picket::protocol {

inline constexpr std::size_t agent_key_random_bytes = 32;

/// 64 lower-case hex digits. @param random from the operating system's generator.
std::string make_agent_key(std::span<const std::byte, agent_key_random_bytes> random);

/// The K field of a request: SHA-1 of id, name and key joined, as hex.
std::string agent_key_hash(std::string_view id, std::string_view name, std::string_view key);

/// The password out of the file's content: its first line, at most 4094 characters, nothing trimmed but the
/// line end. `errc::invalid_argument` for a line of less than three bytes, its end included.
result<std::string> parse_password_file(std::string_view content);

enum class key_line_kind : std::uint8_t { agent, removed, comment, malformed };

/// One line of client.keys. Views point into it.
struct key_line {
  key_line_kind kind = key_line_kind::comment;
  agent_id id = 0;
  std::string_view name;    ///< without the mark of a removed one
  std::string_view address; ///< as written; of an agent it is valid
  std::string_view key;
  std::string_view fault; ///< of a malformed line: what is wrong
};

/// Reads a line given without its "\n"; "\r" before it is tolerated. Linear.
key_line parse_key_line(std::string_view line) noexcept;

/// `<id> <name> <ip> <key>`, without line end; a removed agent's name gets its `!`.
std::string format_key_line(agent_id id, std::string_view name, std::string_view address,
                            std::string_view key, bool removed = false);

struct key_file_entry {
  std::size_t line = 0; ///< counted from 1
  agent_id id = 0;
  std::string name;
  std::string address; ///< canonical
  std::string key;
  bool removed = false;
};

struct key_file_fault {
  std::size_t line = 0;
  std::string what;
};

/// All of a file. Lines that are wrong, and ids or names that stand twice among the agents, are faults; the
/// first of two counts.
struct key_file {
  std::vector<key_file_entry> entries;
  std::vector<key_file_fault> faults;
};

key_file parse_key_file(std::string_view content);

} // namespace picket::protocol
