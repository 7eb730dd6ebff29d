#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "actors/dispatcher/fair_turns.hpp"
#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "net/connection.hpp"

namespace picket {

/// A record as it came off a connection, still sealed.
struct sealed_record {
  agent_id agent = 0;
  net::connection_token connection = 0;
  std::int64_t arrival_ms = 0; ///< wall clock
  byte_view bytes;             ///< tag and ciphertext included; copied by whoever takes it
  bool over_limit = false;     ///< its agent sends more than it may: an event in it is dropped
};

enum class intake_answer : std::uint8_t {
  taken,
  throttled, ///< not taken: room is scarce, and this connection has had its turn
  full       ///< not taken: no room
};

/// Takes records from the I/O threads into the open batches of their shards, in the order of the calls.
/// Thread-safe.
class record_intake {
public:
  virtual ~record_intake() = default;
  /// `turn` is the connection's own. Unless it was taken: stop reading and wait for `when_room`.
  virtual intake_answer take(const sealed_record& record, connection_turn& turn) = 0;
  /// Calls `wake` once, when it is the connection's turn again, on any thread.
  virtual void when_room(std::shared_ptr<connection_turn> turn, std::function<void()> wake) = 0;
  /// The connection is gone. True: it waited, and its `wake` will not be called.
  virtual bool forget(const std::shared_ptr<connection_turn>& turn) = 0;
};

} // namespace picket
