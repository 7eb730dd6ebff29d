#include "base/time.hpp"
#include "cluster-tests/agentsim/simulator.hpp"

#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <poll.h>
#include <unistd.h>

namespace {

using namespace picket;
using namespace picket::agentsim;

enum exit_code { all_good = 0, wrong_usage = 1, not_connected = 2, verify_failed = 3, not_all_sent = 4 };

simulator* running = nullptr;

void on_signal(int) {
  if (running != nullptr) running->stop();
}

struct command_line {
  sim_options sim;
  std::string verify_file;
  std::int64_t verify_wait_s = 60;
  std::uint64_t expect_per_agent = 0;
  double duration_s = 0;
  double timeout_s = 600;
  double linger_s = 0;
  double keepalive_s = 20;
  double reconnect_s = 60;
  double retry_s = 10;
  bool only_verify = false;
  bool blowfish = false;
  bool json = false;
};

void describe(CLI::App& app, command_line& line) {
  auto& sim = line.sim;
  app.footer("Exit codes: 0 all is well; 1 wrong usage or unreadable file; 2 agents could not be enrolled or "
             "connected;\n"
             "3 --verify found lines lost, doubled or out of order; 4 not all lines were sent in time.");
  app.add_option("-n,--agents", sim.agents, "Number of agents")->check(CLI::Range(1, 1'000'000));
  app.add_option("-s,--server", sim.servers,
                 "Agent port, address:port; more than one: in turn, as real agents do");
  app.add_option("-e,--enroll", sim.enroll, "Enrollment port, address:port");
  app.add_option("-p,--password", sim.password, "Enrollment password");
  app.add_option("-g,--groups", sim.groups, "Groups, comma separated");
  app.add_option("--name-prefix", sim.name_prefix, "Names are this and a number");
  app.add_option("-k,--keys", sim.keys_file,
                 "Take identities from this file (client.keys form); new ones are added to it");
  app.add_option("--source", sim.source,
                 "Own IPv4 address of the first agent; each further one has the next");
  app.add_option("--agent-version", sim.agent.version, "Version that the agents name");
  app.add_option("-f,--file", sim.files, "File of lines, path or path=location; may be given often");
  app.add_option("-l,--lines", sim.lines_per_agent,
                 "Lines of each agent, the files over and over; default: each line once");
  app.add_option("-r,--rate", sim.rate_per_s,
                 "Events a second of all agents together; 0: as fast as they are taken");
  app.add_option("-d,--duration", line.duration_s, "Stop sending after so many seconds");
  app.add_option("--timeout", line.timeout_s, "End the run after so many seconds whatever happened");
  app.add_option("--linger", line.linger_s, "Stay connected so many seconds after the last line");
  app.add_option("--keepalive", line.keepalive_s, "Seconds between keep-alives; 0: none");
  app.add_option("--time-reconnect", line.reconnect_s,
                 "Seconds without a word of the server after which an agent reconnects");
  app.add_option("--retry-interval", line.retry_s, "Seconds after a failed attempt");
  app.add_flag("--number", sim.number, "Number the lines: ' picketsim=RUN:AGENT:NUMBER' behind each");
  app.add_option("--run", sim.run, "Name of this run in the numbers");
  app.add_flag("--prebuilt", sim.prebuilt,
               "Seal all records before connecting, so that sealing is not the bottleneck");
  app.add_flag("--blowfish", line.blowfish, "Use Blowfish instead of AES");
  app.add_flag("!--no-goodbye", sim.say_goodbye, "End without the shutdown message");
  app.add_option("--verify", line.verify_file,
                 "archives.json to look for the numbered lines in, after the run");
  app.add_option("--verify-wait", line.verify_wait_s, "Seconds to wait for the last line there");
  app.add_flag("--verify-only", line.only_verify, "Send nothing, only read the file of --verify");
  app.add_option("--expect", line.expect_per_agent,
                 "With --verify-only: lines of each agent; default: up to the greatest number");
  app.add_flag("--json", line.json, "Report as one JSON object");
}

void finish_options(command_line& line) {
  auto ms = [](double seconds) { return static_cast<std::int64_t>(seconds * 1'000); };
  auto& sim = line.sim;
  sim.duration_ms = ms(line.duration_s);
  sim.timeout_ms = ms(line.timeout_s);
  sim.linger_ms = ms(line.linger_s);
  sim.agent.timing.notify_ms = ms(line.keepalive_s);
  sim.agent.timing.time_reconnect_ms = ms(line.reconnect_s);
  sim.agent.timing.retry_interval_ms = ms(line.retry_s);
  if (line.blowfish) sim.agent.cipher = protocol::record_cipher::blowfish;
  if (!line.verify_file.empty()) sim.number = true;
}

int complain(const error& err, exit_code code) {
  std::fprintf(stderr, "picket-agentsim: %s\n", to_string(err).c_str());
  return code;
}

/// Reads the file until all that was sent is in it, or the time is over.
result<verdict> verify(const command_line& line,
                       const std::map<std::string, std::uint64_t, std::less<>>& sent) {
  std::uint64_t total = 0;
  for (const auto& [agent, count] : sent)
    total += count;
  verifier found{line.only_verify ? std::string{} : line.sim.run};
  file_follower file{line.verify_file};
  const auto deadline_ms = steady_clock_ms() + line.verify_wait_s * 1'000;
  for (;;) {
    if (auto read = file.read_on(found); !read) return tl::unexpected(read.error());
    if (line.only_verify || found.distinct() >= total || steady_clock_ms() >= deadline_ms) break;
    poll(nullptr, 0, 50);
  }
  return found.judge(sent);
}

int verify_only(command_line& line) {
  auto outcome = verify(line, {});
  if (!outcome) return complain(outcome.error(), wrong_usage);
  if (line.expect_per_agent > 0 && outcome->found < line.expect_per_agent * line.sim.agents)
    outcome->lost = std::max(outcome->lost, line.expect_per_agent * line.sim.agents - outcome->found);
  std::printf("%s\n", line.json ? to_json({}, &*outcome).c_str() : to_string(*outcome).c_str());
  return outcome->good() ? all_good : verify_failed;
}

int simulate(command_line& line) {
  simulator sim{line.sim};
  if (auto ready = sim.prepare(); !ready)
    return complain(ready.error(), ready.error().code == errc::not_found ? wrong_usage : not_connected);
  running = &sim;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  auto report = sim.run();
  running = nullptr;
  if (!report) return complain(report.error(), not_connected);
  std::optional<verdict> verified;
  if (!line.verify_file.empty()) {
    auto outcome = verify(line, sim.sent_by_agent());
    if (!outcome) return complain(outcome.error(), wrong_usage);
    verified = *outcome;
  }
  if (line.json) {
    std::printf("%s\n", to_json(*report, verified ? &*verified : nullptr).c_str());
  } else {
    std::printf("%s\n", to_string(*report).c_str());
    if (verified) std::printf("verify: %s\n", to_string(*verified).c_str());
  }
  if (report->connected < report->agents) return not_connected;
  if (verified && !verified->good()) return verify_failed;
  return report->unsent > 0 || report->timed_out ? not_all_sent : all_good;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{"Simulated agents: enrol, connect, send lines, keep alive; and find the lines again."};
  command_line line;
  describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& err) {
    return app.exit(err) == 0 ? all_good : wrong_usage;
  }
  finish_options(line);
  if (line.only_verify && line.verify_file.empty()) {
    std::fprintf(stderr, "picket-agentsim: --verify-only needs --verify FILE\n");
    return wrong_usage;
  }
  return line.only_verify ? verify_only(line) : simulate(line);
}
