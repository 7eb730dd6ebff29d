// One attack against a node on this machine, for scripts/bench hostile. Prints what it did as one JSON
// object.
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "base/time.hpp"
#include "cluster-tests/hostile/attacker.hpp"
#include "protocol/enrollment/keys.hpp"

namespace {

using namespace picket;

hostile::attacker* running = nullptr;

void on_signal(int) {
  if (running != nullptr) running->stop();
}

struct command_line {
  std::string attack;
  std::string agents, enrollment, api, health;
  std::string keys;
  double seconds = 5;
  double per_s = 0;
  std::size_t sockets = 0;
};

int complain(const std::string& what) {
  std::fprintf(stderr, "picket-hostile: %s\n", what.c_str());
  return 1;
}

/// Loopback only: this is no tool for anything else.
bool is_here(const agentsim::socket_address& address) {
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
  return v4->sin_family == AF_INET && (ntohl(v4->sin_addr.s_addr) >> 24U) == 127;
}

/// The first two agents of the file: the attacker's own, and the victim.
std::string read_keys(const std::string& path, hostile::target& into) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  auto parsed = protocol::parse_key_file(text.str());
  if (parsed.entries.size() < 2) return "two agents are needed in " + path;
  agentsim::agent_identity* places[] = {&into.insider, &into.victim};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& entry = parsed.entries[i];
    *places[i] = {to_text(entry.id), entry.name, entry.address, entry.key};
  }
  return {};
}

void list() {
  for (auto all : {hostile::agent_port_attacks(), hostile::record_attacks(), hostile::enrollment_attacks(),
                   hostile::http_attacks()})
    for (const auto& one : all)
      std::printf("%-22s %s\n", std::string{one.name}.c_str(), std::string{one.what}.c_str());
}

int run(const command_line& line) {
  const auto* attack = hostile::find_attack(line.attack);
  if (attack == nullptr) return complain("there is no attack '" + line.attack + "'; see --list");
  hostile::target at;
  const std::pair<const std::string*, agentsim::socket_address*> ports[] = {
      {&line.agents, &at.agents},
      {&line.enrollment, &at.enrollment},
      {&line.api, &at.api},
      {&line.health, &at.health}};
  for (auto [text, address] : ports) {
    auto found = agentsim::resolve(*text);
    if (!found) return complain(to_string(found.error()));
    if (!is_here(*found)) return complain(*text + " is not on 127.0.0.0/8");
    *address = *found;
  }
  if (auto problem = read_keys(line.keys, at); !problem.empty()) return complain(problem);
  hostile::attacker by{at, steady_clock_ms() + static_cast<std::int64_t>(line.seconds * 1e3),
                       line.per_s > 0 ? line.per_s : attack->per_s,
                       line.sockets > 0 ? line.sockets : attack->sockets};
  running = &by;
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  attack->run(by);
  running = nullptr;
  const auto& did = by.counts;
  std::printf("{\"attack\":\"%s\",\"connections\":%llu,\"failed\":%llu,\"sent\":%llu,\"closed\":%llu,"
              "\"answers\":%llu}\n",
              line.attack.c_str(), static_cast<unsigned long long>(did.connections.load()),
              static_cast<unsigned long long>(did.failed.load()),
              static_cast<unsigned long long>(did.sent.load()),
              static_cast<unsigned long long>(did.closed.load()),
              static_cast<unsigned long long>(did.answers.load()));
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  CLI::App app{"Attacks a node on this machine, to see that it bears it."};
  command_line line;
  bool only_list = false;
  app.add_flag("--list", only_list, "The attacks there are");
  app.add_option("attack", line.attack, "Name of the attack");
  app.add_option("--agents", line.agents, "Agent port of the node, address:port");
  app.add_option("--enrollment", line.enrollment, "Its enrollment port");
  app.add_option("--api", line.api, "Its admin endpoint");
  app.add_option("--health", line.health, "Its health endpoint");
  app.add_option("--keys", line.keys, "Two agents, client.keys form: the attacker's own and the victim");
  app.add_option("--seconds", line.seconds, "For so long");
  app.add_option("--rate", line.per_s, "Steps a second; default: the attack's own");
  app.add_option("--sockets", line.sockets, "Connections at a time; default: the attack's own");
  CLI11_PARSE(app, argc, argv);
  if (only_list) {
    list();
    return 0;
  }
  return run(line);
}
