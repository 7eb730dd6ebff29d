#pragma once

#include "cluster-tests/agentsim/simulator.hpp"

namespace picket::agentsim {

/// One agent with its socket and its place among the lines.
struct simulator::connection {
  connection(std::size_t number, agent_identity who, const agent_options& options)
      : index(number)
      , agent(std::move(who), options) {}

  std::size_t index;
  sim_agent agent;
  file_descriptor fd;
  bool connecting = false;
  bool waits_for_room = false; ///< EPOLLOUT is asked for
  bool hungry = false;         ///< stands in the queue of those who want lines
  bool finishing = false;      ///< ends the connection when the output is gone
  bool half_closed = false;
  std::int64_t armed_ms = 0; ///< the earliest timer that is set; 0: none

  std::uint64_t next_line = 0; ///< of the lines of this agent, counted from 0
  std::uint64_t sent = 0;      ///< lines that the kernel has in full
  std::uint64_t accepted = 0;  ///< lines that the peer's kernel has

  // Positions in the stream of this connection.
  std::uint64_t queued_bytes = 0;
  std::uint64_t flushed_bytes = 0;
  std::deque<std::uint64_t> queued_ends;  ///< ends of lines that are not flushed
  std::deque<std::uint64_t> flushed_ends; ///< ends of lines that are flushed and not known to be accepted

  connection_history history;

  byte_buffer prebuilt;
  std::vector<std::uint32_t> prebuilt_ends;
};

/// CPU seconds of the calling thread.
double thread_cpu_seconds();

} // namespace picket::agentsim
