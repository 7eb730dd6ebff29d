#include "actors/dispatcher/fair_turns.hpp"

#include <algorithm>

namespace picket {

void fair_turns::wait(std::shared_ptr<connection_turn> turn, wake when_due) {
  ring_.push_back({std::move(turn), std::move(when_due)});
}

bool fair_turns::forget(const std::shared_ptr<connection_turn>& turn) {
  auto found = std::find_if(ring_.begin(), ring_.end(), [&](const entry& one) { return one.turn == turn; });
  if (found == ring_.end()) return false;
  ring_.erase(found);
  return true;
}

std::vector<fair_turns::wake> fair_turns::grant(std::size_t budget_bytes, std::size_t most_rounds) {
  std::vector<wake> due;
  for (std::size_t round = 0; round < most_rounds && !ring_.empty(); ++round) {
    for (std::size_t left = ring_.size(); left > 0; --left) {
      if (budget_bytes < quantum_bytes) return due;
      budget_bytes -= quantum_bytes;
      auto next = std::move(ring_.front());
      ring_.pop_front();
      next.turn->allowance_bytes += quantum_bytes;
      if (next.turn->allowance_bytes >= next.turn->needed_bytes)
        due.push_back(std::move(next.when_due));
      else
        ring_.push_back(std::move(next));
    }
  }
  return due;
}

std::vector<fair_turns::wake> fair_turns::release(std::size_t most) {
  std::vector<wake> due;
  for (auto left = std::min(most, ring_.size()); left > 0; --left) {
    ring_.front().turn->allowance_bytes = 0;
    due.push_back(std::move(ring_.front().when_due));
    ring_.pop_front();
  }
  return due;
}

} // namespace picket
