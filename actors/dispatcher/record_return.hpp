#pragma once

#include <string_view>

#include "actors/dispatcher/work.hpp"

namespace picket {

/// Takes a record into its agent's shard once more, as if it came now. Thread-safe.
class record_return {
public:
  virtual ~record_return() = default;
  /// False: no room; the caller keeps it.
  virtual bool take_again(agent_id agent, record_kind kind, std::string_view bytes) = 0;
};

} // namespace picket
