// The analysis alone: the same lines, batches and outputs as in a node, without sockets, cryptography, pool,
// actors and journal. Prints one JSON object: events, alerts, processor seconds, and what each stage took.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/time.hpp"
#include "cluster-tests/bench/workload.hpp"
#include "engine/event/predecode.hpp"
#include "node/picketd/ruleset_source.hpp"

namespace {

using namespace picket;
using namespace picket::bench;

constexpr int rounds = 4; ///< the stages take turns, so that what else the machine does meets all of them

struct command_line {
  std::string ruleset;
  std::vector<std::string> files;
  std::uint64_t lines = 100'000;
  std::uint32_t agents = 20;
  bool classify = false;
};

struct outcome {
  std::uint64_t events = 0;
  std::uint64_t alerts = 0;
  std::uint64_t bytes = 0;
  double cpu_s = 0;
};

/// How far an event goes.
enum class depth { predecoded, decoded, evaluated, rendered };

/// The first two stages, on their own.
void prepare_events(const engine::ruleset& rules, const workload& work, std::uint64_t lines_each, depth to,
                    outcome& sum) {
  engine::scratch memory;
  engine::engine_limits limits;
  for (std::uint32_t agent = 1; agent <= work.agents(); ++agent) {
    for (std::uint64_t i = 0; i < lines_each; ++i) {
      auto in = work.event(agent, i, 0);
      auto& event = memory.current;
      memory.memory.reset();
      memory.matching.budget = limits.matching;
      event.clear();
      event.source = in.source;
      event.full_log = in.text;
      engine::predecode(event);
      if (to == depth::decoded)
        engine::decode(event, rules.decoders, memory.matching, memory.memory, limits.decoding);
      ++sum.events;
    }
  }
}

/// What remains from one batch to the next.
struct analysis_state {
  std::map<std::size_t, engine::shard_state> shards;
  engine::node_state node;
  engine::first_seen_in_memory first;
  engine::local_global_windows global;
  engine::engine_limits limits;
  engine::engine_counters counters;
  engine::scratch memory;
  std::uint64_t sequence = 0;
};

/// All stages, batch by batch; without rendering no output is wanted.
void analyse(const engine::ruleset& rules, const workload& work, std::uint64_t lines_each, depth to,
             analysis_state& state, outcome& sum) {
  engine::batch_out out;
  std::vector<engine::event_in> batch;
  engine::wanted_outputs wanted;
  wanted.alerts_json = to == depth::rendered;
  auto before = state.counters;
  for (std::uint64_t from = 0; from < lines_each; from += records_a_batch) {
    const auto end = std::min<std::uint64_t>(from + records_a_batch, lines_each);
    for (std::uint32_t agent = 1; agent <= work.agents(); ++agent) {
      batch.clear();
      ++state.sequence;
      for (std::uint64_t i = from; i < end; ++i) {
        batch.push_back(work.event(agent, i, wall_clock_ms()));
        batch.back().id = {1, 1, state.sequence, static_cast<std::uint32_t>(i - from)};
      }
      out.clear();
      engine::context with{rules,          state.shards[agent % shards],
                           state.node,     state.first,
                           state.global,   state.limits,
                           state.counters, wanted};
      auto progress = engine::evaluate(batch, with, state.memory, out);
      if (!progress.complete()) engine::finish(std::move(progress), {}, true, with, state.memory, out);
      sum.bytes += out.json.size();
    }
  }
  sum.events += state.counters.events - before.events;
  sum.alerts += state.counters.alerts - before.alerts;
}

std::map<depth, outcome> measure(const engine::ruleset& rules, const workload& work, std::uint64_t lines) {
  std::map<depth, outcome> all;
  analysis_state without;
  analysis_state with;
  const auto lines_each = std::max<std::uint64_t>(1, lines / work.agents() / rounds);
  for (int round = 0; round < rounds; ++round) {
    for (auto to : {depth::predecoded, depth::decoded, depth::evaluated, depth::rendered}) {
      auto& sum = all[to];
      auto began = cpu_seconds();
      if (to == depth::predecoded || to == depth::decoded)
        prepare_events(rules, work, lines_each, to, sum);
      else
        analyse(rules, work, lines_each, to, to == depth::rendered ? with : without, sum);
      sum.cpu_s += cpu_seconds() - began;
    }
  }
  return all;
}

void print(const std::map<depth, outcome>& all) {
  const auto& whole = all.at(depth::rendered);
  auto us = [&](depth to) {
    const auto& sum = all.at(to);
    return sum.events == 0 ? 0.0 : sum.cpu_s * 1e6 / static_cast<double>(sum.events);
  };
  std::printf("{\"events\":%llu,\"alerts\":%llu,\"alert_bytes\":%llu,\"cpu_seconds\":%.3f,",
              static_cast<unsigned long long>(whole.events), static_cast<unsigned long long>(whole.alerts),
              static_cast<unsigned long long>(whole.bytes), whole.cpu_s);
  std::printf("\"stage_us\":{\"predecode\":%.3f,\"decode\":%.3f,\"rules\":%.3f,\"render\":%.3f}}\n",
              us(depth::predecoded), us(depth::decoded) - us(depth::predecoded),
              us(depth::evaluated) - us(depth::decoded), us(depth::rendered) - us(depth::evaluated));
}

/// For each line whether it alerts on its own: a text of 0 and 1. The lines come days apart, so that nothing
/// is counted together.
void classify(const engine::ruleset& rules, const workload& work) {
  constexpr std::int64_t apart_ms = 2 * 86'400'000;
  engine::engine_limits limits;
  engine::scratch memory;
  engine::batch_out out;
  engine::shard_state shard;
  engine::node_state node;
  engine::local_global_windows global;
  engine::engine_counters counters;
  std::string answers;
  for (std::uint64_t i = 0; i < work.lines(); ++i) {
    engine::first_seen_in_memory first;
    const auto before = counters.alerts;
    out.clear();
    engine::context with{rules, shard, node, first, global, limits, counters, {}};
    std::vector<engine::event_in> batch{work.event(1, i, static_cast<std::int64_t>(i) * apart_ms)};
    auto progress = engine::evaluate(batch, with, memory, out);
    if (!progress.complete()) engine::finish(std::move(progress), {}, true, with, memory, out);
    answers.push_back(counters.alerts > before ? '1' : '0');
  }
  std::printf("%s\n", answers.c_str());
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
  if (line.classify)
    classify(*compiled.ruleset, work);
  else
    print(measure(*compiled.ruleset, work, line.lines));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app{"Analyses lines without a node and says what it cost, stage by stage."};
  command_line line;
  app.add_option("--ruleset", line.ruleset, "Directory of the rule set; default: our own");
  app.add_option("-f,--file", line.files, "File of lines, path or path=location; may be given often")
      ->required();
  app.add_option("-l,--lines", line.lines, "Lines in all")->check(CLI::Range(1, 1'000'000'000));
  app.add_option("-n,--agents", line.agents, "Agents that send them")->check(CLI::Range(1, 100'000));
  app.add_flag("--classify", line.classify,
               "Instead: for each line 1 if it alerts on its own, else 0, as one text");
  CLI11_PARSE(app, argc, argv);
  return run(line);
}
