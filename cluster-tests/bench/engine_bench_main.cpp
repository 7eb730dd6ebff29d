// The analysis alone: the same lines, batches and outputs as in a node, without sockets, cryptography, pool,
// actors and journal. Prints one JSON object: events, alerts, CPU seconds.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/ids.hpp"
#include "base/time.hpp"
#include "cluster-tests/agentsim/lines.hpp"
#include "engine/api.hpp"
#include "engine/event/source.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace {

using namespace picket;

constexpr std::size_t records_a_batch = 256;
constexpr std::size_t slack_bytes = 64; ///< readable behind every text, as matchers want it
constexpr std::size_t shards = 64;

struct command_line {
  std::string ruleset;
  std::vector<std::string> files;
  std::uint64_t lines = 100'000;
  std::uint32_t agents = 20;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// Each agent sends the lines in their order, as the agent simulator lets them.
class workload {
public:
  workload(const agentsim::line_set& lines, std::uint32_t agents)
      : agents_{agents} {
    for (const auto& line : lines.lines) {
      texts_.push_back(line.text + std::string(slack_bytes, '\0'));
      locations_.push_back(line.location);
    }
    for (std::uint32_t agent = 1; agent <= agents; ++agent)
      for (const auto& location : lines.locations)
        sources_.push_back(engine::make_agent_source(to_text(agent), "bench-" + std::to_string(agent), "any",
                                                     location, "bench"));
    places_ = lines.locations.size();
  }

  engine::event_in event(std::uint32_t agent, std::uint64_t number, std::int64_t arrival_ms) const {
    auto which = number % texts_.size();
    engine::event_in event;
    event.source = &sources_[(agent - 1) * places_ + locations_[which]];
    event.text = std::string_view{texts_[which]}.substr(0, texts_[which].size() - slack_bytes);
    event.arrival_ms = arrival_ms;
    return event;
  }
  std::uint32_t agents() const noexcept { return agents_; }

private:
  std::vector<std::string> texts_;
  std::vector<std::uint32_t> locations_;
  std::vector<engine::source> sources_; ///< by agent and location
  std::size_t places_ = 0;
  std::uint32_t agents_;
};

struct outcome {
  std::uint64_t events = 0;
  std::uint64_t alerts = 0;
  std::uint64_t bytes = 0;
  double cpu_s = 0;
};

outcome analyse(const engine::ruleset& rules, const workload& work, std::uint64_t lines) {
  std::map<std::size_t, engine::shard_state> states;
  engine::node_state node;
  engine::first_seen_in_memory first;
  engine::local_global_windows global;
  engine::engine_limits limits;
  engine::engine_counters counters;
  engine::scratch memory;
  engine::batch_out out;
  std::vector<engine::event_in> batch;
  outcome sum;
  auto began = cpu_seconds();
  std::uint64_t sequence = 0;
  const auto lines_each = lines / work.agents();
  for (std::uint64_t from = 0; from < lines_each; from += records_a_batch) {
    const auto to = std::min<std::uint64_t>(from + records_a_batch, lines_each);
    for (std::uint32_t agent = 1; agent <= work.agents(); ++agent) {
      batch.clear();
      ++sequence;
      for (std::uint64_t i = from; i < to; ++i) {
        batch.push_back(work.event(agent, i, wall_clock_ms()));
        batch.back().id = {1, 1, sequence, static_cast<std::uint32_t>(i - from)};
      }
      out.clear();
      engine::context with{rules, states[agent % shards], node, first, global, limits, counters, {}};
      auto progress = engine::evaluate(batch, with, memory, out);
      if (!progress.complete()) engine::finish(std::move(progress), {}, true, with, memory, out);
      sum.bytes += out.json.size();
    }
  }
  sum.cpu_s = cpu_seconds() - began;
  sum.events = counters.events;
  sum.alerts = counters.alerts;
  return sum;
}

int complain(const error& err) {
  std::fprintf(stderr, "picket-engine-bench: %s\n", to_string(err).c_str());
  return 1;
}

int run(const command_line& line) {
  auto files = read_ruleset(line.ruleset);
  if (!files) return complain(files.error());
  auto compiled = engine::compile(*files);
  if (!compiled.ruleset)
    return complain({errc::ruleset_invalid, engine::to_string(compiled.diagnostics.at(0)), line.ruleset, {}});
  agentsim::line_set lines;
  for (const auto& file : line.files)
    if (auto added = lines.add_file(file); !added) return complain(added.error());
  workload work{lines, line.agents};
  auto done = analyse(*compiled.ruleset, work, line.lines);
  std::printf("{\"events\":%llu,\"alerts\":%llu,\"alert_bytes\":%llu,\"cpu_seconds\":%.3f}\n",
              static_cast<unsigned long long>(done.events), static_cast<unsigned long long>(done.alerts),
              static_cast<unsigned long long>(done.bytes), done.cpu_s);
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Analyses lines without a node and says what it cost."};
  command_line line;
  app.add_option("--ruleset", line.ruleset, "Directory of the rule set; default: our own");
  app.add_option("-f,--file", line.files, "File of lines, path or path=location; may be given often")
      ->required();
  app.add_option("-l,--lines", line.lines, "Lines in all")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("-n,--agents", line.agents, "Agents that send them")->check(CLI::Range(1, 100'000));
  CLI11_PARSE(app, argc, argv);
  return run(line);
}
