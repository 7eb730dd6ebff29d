#pragma once

#include <cstdint>
#include <functional>

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
};

/// Takes records from the I/O threads into the open batches of their shards, in the order of the calls.
/// Thread-safe.
class record_intake {
public:
  virtual ~record_intake() = default;
  /// False, and nothing taken: no room; stop reading and wait for
  /// `when_room`.
  virtual bool take(const sealed_record& record) = 0;
  /// Calls `wake` once, when there is room again, on any thread.
  virtual void when_room(std::function<void()> wake) = 0;
};

} // namespace picket
