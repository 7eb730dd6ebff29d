#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "protocol/registry/fields.hpp"
#include "protocol/registry/rows.hpp"

#include <string_view>
#include <variant>

/// What can be asked of the registry, as it travels and as it waits: `[operation, version, request id,
/// actor, from, arguments]`, the arguments a map with short keys.

namespace picket::protocol {

/// Connection state of an agent, as specs of the agent protocol section 3.6 names them.
enum class agent_state : std::uint8_t { never_connected = 0, pending = 1, active = 2, disconnected = 3 };

/// A volatile fact that a decision needs and no table holds. It counts only while the agent still has
/// this registration.
struct agent_evidence {
  agent_id agent = 0;
  std::uint64_t registration = 0;
  agent_state state = agent_state::never_connected;
  std::int64_t since_ms = 0; ///< of the disconnection, if disconnected; else 0

  friend bool operator==(const agent_evidence&, const agent_evidence&) = default;
};

/// When an enrollment may replace an existing agent; the defaults are the reference's.
struct force_policy {
  bool enabled = true;
  bool key_mismatch = true;
  std::int64_t disconnected_time_s = 3600;       ///< below 0: the rule is off
  std::int64_t after_registration_time_s = 3600; ///< 0: the rule is off

  friend bool operator==(const force_policy&, const force_policy&) = default;
};

/// Registers an agent. The key is drawn where the request came in.
struct agent_add {
  agent_id id = 0; ///< 0: the next one; else an import, refused if it was ever given
  std::string name;
  std::string key;
  std::string address; ///< canonical, or "any"
  std::string source;
  std::vector<std::string> groups;
  std::string agent_version;
  std::string key_hash; ///< 40 hex digits if the agent says that it has a key, else empty
  force_policy force;
  std::int64_t repeat_window_s = 600; ///< same answer to a repeat while unconfirmed; 0: off
  confirmation state = confirmation::unconfirmed;
  std::vector<agent_evidence> evidence;

  friend bool operator==(const agent_add&, const agent_add&) = default;
};

struct agent_remove {
  std::vector<agent_id> ids;
  std::string why;

  friend bool operator==(const agent_remove&, const agent_remove&) = default;
};

/// The agents have proven their keys. Ids that are gone are passed over.
struct agent_confirm {
  std::vector<agent_id> ids;

  friend bool operator==(const agent_confirm&, const agent_confirm&) = default;
};

struct agent_rekey {
  agent_id id = 0;
  std::string key;

  friend bool operator==(const agent_rekey&, const agent_rekey&) = default;
};

enum class groups_change : std::uint8_t { set = 0, add = 1, remove = 2 };

struct agent_groups {
  agent_id id = 0;
  groups_change change = groups_change::set;
  std::vector<std::string> groups;

  friend bool operator==(const agent_groups&, const agent_groups&) = default;
};

struct group_put {
  std::string name;

  friend bool operator==(const group_put&, const group_put&) = default;
};

/// Takes the group from every agent that has it.
struct group_remove {
  std::string name;

  friend bool operator==(const group_remove&, const group_remove&) = default;
};

/// Changes nothing. Once it is committed, no transaction that was on its way before can be any more.
struct fence {
  friend bool operator==(const fence&, const fence&) = default;
};

using command_arguments = std::variant<agent_add, agent_remove, agent_confirm, agent_rekey, agent_groups,
                                       group_put, group_remove, fence>;

struct command {
  std::uint32_t version = 1;
  request_id request;
  std::string actor;        ///< who: "enrollment", "api:NAME", "node"
  std::string from;         ///< where the request came from: an address, or "local"
  std::int64_t made_ms = 0; ///< when the request came in; a late repeat is refused by it
  command_arguments arguments;
  unknown_fields unknown; ///< of the arguments

  friend bool operator==(const command&, const command&) = default;
};

/// Largest encoded command.
inline constexpr std::size_t max_command_bytes = 65'536;

/// The operation's name on the wire and in the log: "agent_add", "group_put", …
std::string_view name_of(const command_arguments& arguments) noexcept;

std::string encode(const command& value);
/// `errc::corrupt` for what is no command, `errc::invalid_argument` for an operation that this version does
/// not know, `errc::limit_reached` above `max_command_bytes`.
result<command> decode_command(std::string_view bytes) noexcept;

} // namespace picket::protocol
