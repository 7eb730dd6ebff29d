#pragma once

#include <vector>

#include "protocol/peer/messages.hpp"

namespace picket::protocol::peer::testing {

/// One message of each type, every field different from its default and from the others.
inline std::vector<message> one_of_each() {
  hello greeting{"c-1f", 7, "node-a", "0.9.1", 1, 3, 12, {"lend", "zstd"}};
  heartbeat beat;
  beat.sequence = 1ULL << 40U;
  beat.boot = 12;
  beat.steady_ms = 987'654;
  beat.wall_ms = 1'700'000'000'123;
  beat.version = "0.9.1";
  beat.load_permille = 875;
  beat.free_executors = 3;
  beat.ready_ingest = beat.ready_control = beat.draining = true;
  beat.registry_revision = 4'711;
  beat.view_number = 19;
  beat.heard = {{1, 0}, {2, 199}, {4'000'000'000U, 2'700}};
  return {greeting,
          beat,
          forwarded_command{5, 300, std::string("\x96\x00\xff", 3)},
          command_answer{6, command_outcome::refused, 77, 512, "Duplicate name", std::string("\0r", 2)},
          request{8, 21, 4'000, std::string("body\0", 5)},
          response{9, 106, "full", "rest"},
          close{close_cause::duplicate, "the other one is kept"},
          part{3, 32'768, 100'000, 1, 5, "piece"}};
}

inline frame view_of(const std::string& bytes) {
  return {static_cast<std::uint8_t>(bytes.at(4)), static_cast<std::uint8_t>(bytes.at(5)),
          std::string_view{bytes}.substr(6)};
}

} // namespace picket::protocol::peer::testing
