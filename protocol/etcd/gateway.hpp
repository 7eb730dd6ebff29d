#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

/// etcd's JSON gateway (3.4 and later): bodies of requests, and what comes back, as pure functions. Keys and
/// values are base64, integers come as texts, zero values are left out, fields that are not known are passed
/// over. A decoder never throws; `errc::corrupt` for what is no such answer.

namespace picket::protocol::etcd {

/// What every answer begins with.
struct header {
  std::uint64_t cluster = 0; ///< which cluster answered
  std::uint64_t member = 0;
  std::uint64_t revision = 0; ///< newest of the store
};

struct key_value {
  std::string key;
  std::string value;
  std::uint64_t revision = 0; ///< of its last change

  friend bool operator==(const key_value&, const key_value&) = default;
};

/// A put, or without `value` the removal of a key, or of all keys from `key` up to, not with, `end`.
struct operation {
  std::string key;
  std::optional<std::string> value;
  std::string end;
};

/// Done as a whole if the guard has this revision and value, or is absent if the revision is 0.
struct transaction {
  std::string guard;
  std::uint64_t guard_revision = 0;
  std::string guard_value;
  std::vector<operation> operations;
};
std::string encode(const transaction& what);

struct transaction_answer {
  header from;
  bool succeeded = false;
  std::optional<key_value> guard; ///< as it is, where it was not the expected one and there is one
};
result<transaction_answer> decode_transaction_answer(std::string_view body) noexcept;

struct range_request {
  std::string key;
  std::string end;            ///< empty: this key only
  std::uint64_t limit = 0;    ///< 0: all
  std::uint64_t revision = 0; ///< 0: the newest, linearizable
};
std::string encode(const range_request& what);

struct range_answer {
  header from;
  std::vector<key_value> rows;
  bool more = false;
};
result<range_answer> decode_range_answer(std::string_view body) noexcept;

struct watch_request {
  std::string key;
  std::string end;
  std::uint64_t from = 0; ///< revision
};
std::string encode(const watch_request& what);

/// A change of one key; without a value it was removed.
struct event {
  std::string key;
  std::optional<std::string> value;
  std::uint64_t revision = 0;

  friend bool operator==(const event&, const event&) = default;
};

/// What the gateway says in place of an answer.
struct failure {
  std::uint32_t code = 0; ///< of gRPC
  std::string message;
};

/// One line of a watch.
struct watch_message {
  header from;
  bool created = false;
  bool canceled = false;
  std::uint64_t compacted = 0; ///< not 0: what was asked for is gone up to this revision
  std::vector<event> events;   ///< in order of revisions
  std::optional<failure> failed;
};
result<watch_message> decode_watch_message(std::string_view line) noexcept;

/// The body of an answer whose HTTP status is not 200. What is no such body has code 0 and its beginning as
/// the message.
failure decode_failure(std::string_view body) noexcept;

/// The end of the range of all keys that begin with the prefix.
std::string end_of_prefix(std::string prefix);

} // namespace picket::protocol::etcd
