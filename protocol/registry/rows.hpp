#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "protocol/registry/fields.hpp"

#include <string_view>

/// The rows of the registry's tables as they are stored: msgpack maps with short keys, `v` the version of
/// the row's form. A decoder never throws; what it does not know it keeps in `unknown`, and the encoder
/// writes that back. A missing or mistyped key is `errc::corrupt`, which names the key.

namespace picket::protocol {

/// Whether the agent has proven that it holds the key.
enum class confirmation : std::uint8_t { unconfirmed = 0, confirmed = 1 };

/// Table `agents`, key = id.
struct agent_row {
  std::uint32_t version = 1;
  std::string name;
  std::string key;                ///< as handed in: sealed where the registry is shared, else the text itself
  std::string address;            ///< the registered address, canonical, or "any"
  std::string source;             ///< address that the enrollment came from; empty: added by an operator
  std::int64_t time_ms = 0;       ///< of registration, Unix time
  std::uint32_t by = 0;           ///< node that wrote it
  std::uint64_t registration = 0; ///< grows with each registration or new key; tells stale facts apart
  confirmation state = confirmation::unconfirmed;
  std::vector<std::string> groups; ///< in order of precedence; empty: none assigned yet
  std::string agent_version;       ///< as sent at enrollment, for example "v4.14.7"; may be empty
  unknown_fields unknown;

  friend bool operator==(const agent_row&, const agent_row&) = default;
};

/// Table `removed`, key = id. Keeps the id from coming back.
struct removed_row {
  std::uint32_t version = 1;
  std::string name;
  std::int64_t time_ms = 0;
  std::uint32_t by = 0;
  std::string why;
  unknown_fields unknown;

  friend bool operator==(const removed_row&, const removed_row&) = default;
};

/// Table `groups`, key = name.
struct group_row {
  std::uint32_t version = 1;
  std::int64_t time_ms = 0;
  std::uint64_t content_version = 0; ///< grows with each change of the group's files
  unknown_fields unknown;

  friend bool operator==(const group_row&, const group_row&) = default;
};

/// The guard: one row, compared and rewritten by every batch.
struct head_row {
  std::uint32_t version = 1;
  std::uint64_t sequence = 0; ///< number of the last batch
  agent_id next_agent_id = 1; ///< only grows
  std::uint32_t next_node_id = 1;
  std::int64_t time_ms = 0; ///< of the last batch; strictly monotone
  std::uint32_t schema = 1;
  std::uint64_t epoch = 0;    ///< grows with restore and recover
  std::uint32_t by = 0;       ///< node that wrote the last batch
  std::uint64_t log_from = 1; ///< oldest batch in the log
  std::uint64_t log_bytes = 0;
  unknown_fields unknown;

  friend bool operator==(const head_row&, const head_row&) = default;
};

/// What a command came to. A repeat of the command gets the same.
struct command_result {
  std::uint16_t code = 0;         ///< 0: done; else the number of an errc
  std::string text;               ///< of a refusal
  agent_id agent = 0;             ///< that was added or changed; 0: none
  std::vector<agent_id> replaced; ///< agents that a forced enrollment removed
  unknown_fields unknown;

  bool done() const noexcept { return code == 0; }
  friend bool operator==(const command_result&, const command_result&) = default;
};

struct logged_command {
  request_id request;
  std::string operation; ///< as in name_of(command)
  command_result result;

  friend bool operator==(const logged_command&, const logged_command&) = default;
};

/// One line of the audit: who did what from where.
struct audit_record {
  std::string actor;
  std::string from;
  std::string what;

  friend bool operator==(const audit_record&, const audit_record&) = default;
};

/// Table `log`, key = sequence of the batch.
struct log_row {
  std::uint32_t version = 1;
  std::int64_t time_ms = 0;
  std::uint32_t by = 0;
  std::vector<logged_command> commands;
  std::vector<audit_record> audit;
  unknown_fields unknown;

  friend bool operator==(const log_row&, const log_row&) = default;
};

std::string encode(const agent_row& row);
std::string encode(const removed_row& row);
std::string encode(const group_row& row);
std::string encode(const head_row& row);
std::string encode(const log_row& row);

result<agent_row> decode_agent_row(std::string_view bytes) noexcept;
result<removed_row> decode_removed_row(std::string_view bytes) noexcept;
result<group_row> decode_group_row(std::string_view bytes) noexcept;
result<head_row> decode_head_row(std::string_view bytes) noexcept;
result<log_row> decode_log_row(std::string_view bytes) noexcept;

} // namespace picket::protocol
