#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

namespace picket {

/// How short the room for records is.
enum class pressure : std::uint8_t {
  none,   ///< read whatever comes
  scarce, ///< little room and no overflow: every connection gets its turn and no more
  stop    ///< no room
};

/// One connection's part in the sharing of room. Its fields belong to `fair_turns` and, while it does not
/// wait, to the connection's thread.
struct connection_turn {
  std::size_t allowance_bytes = 0; ///< may still be read under `scarce`
  std::size_t needed_bytes = 0;    ///< size of the record that waits
  std::uint64_t batch = 0;         ///< sequence of the batch that took its last record
};

/// Shares scarce room among connections by deficit round robin: each waiting connection is given the same
/// number of bytes a round, whatever the size of its records, and reads when they suffice for its record.
/// Not thread-safe. Bound: one entry for each connection.
class fair_turns {
public:
  /// Bytes for each connection and round (agent-behaviour.md B3).
  static constexpr std::size_t quantum_bytes = 4'096;

  using wake = std::function<void()>;

  void wait(std::shared_ptr<connection_turn> turn, wake when_due);
  /// True: it waited, and does not any more.
  bool forget(const std::shared_ptr<connection_turn>& turn);
  std::size_t waiting() const noexcept { return ring_.size(); }

  /// Gives rounds of turns until `budget_bytes` are used up, at most `most_rounds`; whoever may read is taken
  /// out of the ring and returned.
  std::vector<wake> grant(std::size_t budget_bytes, std::size_t most_rounds);
  /// The first `most` of the ring, whatever they need.
  std::vector<wake> release(std::size_t most);

private:
  struct entry {
    std::shared_ptr<connection_turn> turn;
    wake when_due;
  };
  std::deque<entry> ring_;
};

} // namespace picket
