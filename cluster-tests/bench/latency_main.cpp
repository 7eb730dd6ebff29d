// How long a line takes from an agent's send to the reader of alerts.json. Simulated agents send a line that
// alerts and carries a number; the file is followed, and the numbers are found again. Prints one JSON object.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <poll.h>

#include "cluster-tests/agentsim/simulator.hpp"
#include "cluster-tests/bench/alert_delays.hpp"

namespace {

using namespace picket;

struct command_line {
  agentsim::sim_options sim;
  std::string alerts;
  double duration_s = 10;
  double warm_up_s = 1;
  double wait_s = 20;
};

agentsim::simulator* running = nullptr;

void on_signal(int) {
  if (running != nullptr) running->stop();
}

void follow(const std::string& file, bench::alert_delays& delays, const std::atomic<bool>& stop) {
  bench::growing_file alerts{file};
  while (!stop) {
    auto lines = alerts.read(100);
    if (!lines.empty()) delays.seen(lines, bench::steady_ns());
  }
}

std::string report(const agentsim::sim_report& sim, const bench::alert_delays& delays, std::int64_t from_ns) {
  auto sorted = delays.delays_ns(from_ns);
  auto us = [&](double p) { return static_cast<double>(bench::quantile(sorted, p)) / 1e3; };
  nlohmann::ordered_json json;
  json["sent"] = delays.sent_count();
  json["seen"] = delays.seen_count();
  json["measured"] = sorted.size();
  json["p50_us"] = us(0.5);
  json["p90_us"] = us(0.9);
  json["p99_us"] = us(0.99);
  json["max_us"] = us(1);
  json["connected"] = sim.connected;
  json["lost_connections"] = sim.totals.lost_connections;
  json["refusals"] = sim.totals.refusals;
  json["connects"] = sim.totals.connects;
  return json.dump();
}

int measure(command_line& line) {
  bench::alert_delays delays{line.sim.run};
  line.sim.on_line = [&delays](const std::string& agent, std::uint64_t number) {
    delays.sent(agent, number, bench::steady_ns());
  };
  agentsim::simulator sim{line.sim};
  if (auto ready = sim.prepare(); !ready) {
    std::fprintf(stderr, "picket-latency: %s\n", to_string(ready.error()).c_str());
    return 2;
  }
  running = &sim;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  std::atomic<bool> stop{false};
  std::thread reader{[&] { follow(line.alerts, delays, stop); }};
  const auto from_ns = bench::steady_ns() + static_cast<std::int64_t>(line.warm_up_s * 1e9);
  auto done = sim.run();
  running = nullptr;
  const auto until_ns = bench::steady_ns() + static_cast<std::int64_t>(line.wait_s * 1e9);
  while (delays.seen_count() < delays.sent_count() && bench::steady_ns() < until_ns)
    ::poll(nullptr, 0, 5);
  stop = true;
  reader.join();
  if (!done) {
    std::fprintf(stderr, "picket-latency: %s\n", to_string(done.error()).c_str());
    return 2;
  }
  std::printf("%s\n", report(*done, delays, from_ns).c_str());
  return done->connected < done->agents ? 2 : 0;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Measures the time from an agent's send to the alert's line in alerts.json."};
  command_line line;
  line.sim.agents = 10;
  line.sim.rate_per_s = 100;
  line.sim.run = "latency";
  line.sim.name_prefix = "probe-";
  app.add_option("-n,--agents", line.sim.agents, "Agents that send")->check(CLI::Range(1, 100'000));
  app.add_option("-r,--rate", line.sim.rate_per_s, "Lines a second of all together")
      ->check(CLI::Range(1, 100'000));
  app.add_option("-s,--server", line.sim.servers, "Agent port, address:port");
  app.add_option("-e,--enroll", line.sim.enroll, "Enrollment port, address:port");
  app.add_option("-k,--keys", line.sim.keys_file, "Identities, as for picket-agentsim");
  app.add_option("--source", line.sim.source,
                 "Own IPv4 address of the first agent; each further one has the next");
  app.add_option("--name-prefix", line.sim.name_prefix, "Names are this and a number");
  app.add_option("-f,--file", line.sim.files, "File of lines that alert, each of them, path=location")
      ->required();
  app.add_option("--alerts", line.alerts, "alerts.json of the node")->required();
  app.add_option("--run", line.sim.run, "Name of this run in the numbers");
  app.add_option("-d,--duration", line.duration_s, "Send for so many seconds");
  app.add_option("--warm-up", line.warm_up_s, "Lines of the first seconds do not count");
  app.add_option("--wait", line.wait_s, "Wait so many seconds for the last lines");
  CLI11_PARSE(app, argc, argv);
  line.sim.number = true;
  line.sim.duration_ms = static_cast<std::int64_t>(line.duration_s * 1e3);
  line.sim.timeout_ms = line.sim.duration_ms + 60'000;
  return measure(line);
}
