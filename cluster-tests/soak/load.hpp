#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/harness/node_process.hpp"

namespace picket::soak {

/// PICKET_SOAK_SECONDS, else the given.
std::int64_t seconds_or(std::int64_t given);

/// A port that was free a moment ago: a node that is killed and started again must have the same.
std::string free_address();

/// Agents that send numbered lines of 300 bytes in the mean, half of them of random digits.
agentsim::sim_options numbered_load(const std::filesystem::path& scratch, const std::string& server,
                                    const std::string& enroll, std::size_t agents, double rate_per_s);

/// "VmRSS", "VmHWM" of a process.
std::uint64_t memory_bytes(pid_t pid, const std::string& field);

/// What became of the lines, read from archives.json.
agentsim::verdict verify(const harness::node_process& node, const agentsim::simulator& simulator,
                         agentsim::verifier& checker);

} // namespace picket::soak
