#include "cluster-tests/bench/workload.hpp"

#include <ctime>

#include "base/ids.hpp"
#include "engine/event/source.hpp"

namespace picket::bench {

namespace {

constexpr std::size_t slack_bytes = 64;

} // namespace

workload::workload(const agentsim::line_set& lines, std::uint32_t agents)
    : places_{lines.locations.size()}
    , agents_{agents} {
  for (const auto& line : lines.lines) {
    texts_.push_back(line.text + std::string(slack_bytes, '\0'));
    locations_.push_back(line.location);
  }
  for (std::uint32_t agent = 1; agent <= agents; ++agent)
    for (const auto& location : lines.locations)
      sources_.push_back(engine::make_agent_source(to_text(agent), "bench-" + std::to_string(agent), "any",
                                                   location, "bench"));
}

engine::event_in workload::event(std::uint32_t agent, std::uint64_t number, std::int64_t arrival_ms) const {
  auto which = number % texts_.size();
  engine::event_in event;
  event.source = &sources_[(agent - 1) * places_ + locations_[which]];
  event.text = std::string_view{texts_[which]}.substr(0, texts_[which].size() - slack_bytes);
  event.arrival_ms = arrival_ms;
  return event;
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

} // namespace picket::bench
