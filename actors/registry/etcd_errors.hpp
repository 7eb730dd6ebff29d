#pragma once

#include <cstdint>
#include <string_view>

#include "actors/registry/store.hpp"

namespace picket::registry {

/// How a question to etcd's gateway ended.
enum class reply_kind : std::uint8_t {
  answered, ///< there is a status and a body
  not_sent, ///< no connection, or a handshake that failed
  lost      ///< a time-out or a cut after something was sent
};

/// What an answer other than a good one means for a transaction (registry.md 3.4). What nobody has seen yet
/// is `unknown`: that is always safe.
commit_status commit_status_of(reply_kind kind, int http_status, std::string_view body) noexcept;

/// And for a read.
read_status read_status_of(reply_kind kind, int http_status, std::string_view body) noexcept;

} // namespace picket::registry
