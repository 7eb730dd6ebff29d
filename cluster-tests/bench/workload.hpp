#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cluster-tests/agentsim/lines.hpp"
#include "engine/api.hpp"

namespace picket::bench {

inline constexpr std::size_t records_a_batch = 256; ///< as a busy node has them
inline constexpr std::size_t shards = 64;

/// Each agent sends the lines in their order, over and over, as the agent simulator lets them.
class workload {
public:
  workload(const agentsim::line_set& lines, std::uint32_t agents);

  /// The text is readable beyond its end, as matchers want it. @pre 1 <= agent <= agents()
  engine::event_in event(std::uint32_t agent, std::uint64_t number, std::int64_t arrival_ms) const;
  std::uint32_t agents() const noexcept { return agents_; }
  std::size_t lines() const noexcept { return texts_.size(); }

private:
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> locations_;
  std::vector<engine::source> sources_; ///< by agent and location
  std::size_t places_ = 0;
  std::uint32_t agents_;
};

/// Processor seconds of this process.
double cpu_seconds();

} // namespace picket::bench
