#include "cluster-tests/balancer/two_nodes.hpp"

#include <cstdio>
#include <stdexcept>

#include "cluster-tests/balancer/balancer_process.hpp"
#include "cluster-tests/balancer/page.hpp"
#include "cluster-tests/harness/seed.hpp"
#include "config/load.hpp"
#include "picket_paths.hpp"

namespace picket::balancer {

namespace {

const std::string hosts[] = {"127.0.1.11", "127.0.1.12"};
const std::string balancer_host = "127.0.0.1";

/// What the page's piece of picket.yml sets.
harness::settings page_settings() {
  auto blocks = page_blocks("yaml");
  auto yaml = replaced(blocks.at(0), {{"192.0.2.10", balancer_host}});
  auto loaded = config::load_text(yaml, "load-balancer.md", {}, "/");
  if (!loaded.good()) throw std::runtime_error{to_string(loaded.problems.front())};
  harness::settings found;
  for (const auto& one : loaded.origins)
    if (one.from != "default") found[std::string{one.key}] = one.value;
  return found;
}

std::string with_port(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

agentsim::agent_identity identity(std::size_t number, const std::string& address) {
  auto id = std::to_string(100 + number);
  return {id, "agent-" + id, address, std::string(61, 'k') + id};
}

} // namespace

two_nodes::two_nodes(const std::filesystem::path& directory, bool named, std::size_t agents)
    : named_{named}
    , agent_port_{free_port()}
    , enrollment_port_{free_port()}
    , check_port_{free_port()} {
  for (std::size_t i = 0; i < agents; ++i) {
    auto address = "127.0.9." + std::to_string(i + 1);
    auto who = identity(i, named ? address : "any");
    clients_.push_back({address, std::make_unique<agentsim::blocking_agent>(who)});
    for (const auto* name : {"n1", "n2"})
      harness::seed_agent(directory / name, who);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    auto with = page_settings();
    if (!named) {
      with.erase("ingest.proxy_protocol_from");
      with.erase("enrollment.proxy_protocol_from");
    }
    auto name = "n" + std::to_string(i + 1);
    with["node.name"] = name;
    with["ingest.listen"] = with_port(hosts[i], agent_port_);
    with["enrollment.listen"] = with_port(hosts[i], enrollment_port_);
    with["health.agent_check_listen"] = with_port(hosts[i], check_port_);
    nodes_.push_back(std::make_unique<harness::node_process>(directory / name, with));
  }
}

result<void> two_nodes::start() {
  for (auto& node : nodes_)
    if (auto done = node->start(); !done) return done;
  return {};
}

std::string two_nodes::fitted(const std::string& text, const std::string& binds) const {
  auto agents = std::to_string(agent_port_);
  auto enrollment = std::to_string(enrollment_port_);
  auto here = binds.substr(0, binds.find_last_of(": ") + 1);
  if (here.back() == ':') here.pop_back();
  auto fit = replaced(text, {{binds + "1514", here + balancer_host + ":" + agents},
                             {binds + "1515", here + balancer_host + ":" + enrollment},
                             {"192.0.2.11:1514", with_port(hosts[0], agent_port_)},
                             {"192.0.2.12:1514", with_port(hosts[1], agent_port_)},
                             {"192.0.2.11:1515", with_port(hosts[0], enrollment_port_)},
                             {"192.0.2.12:1515", with_port(hosts[1], enrollment_port_)}});
  if (fit.find("agent-port 55002") == std::string::npos) return fit;
  return replaced(fit, {{"agent-port 55002", "agent-port " + std::to_string(check_port_)}});
}

agentsim::socket_address two_nodes::balanced_agents() const {
  return agentsim::resolve(with_port(balancer_host, agent_port_)).value();
}

agentsim::socket_address two_nodes::balanced_enrollment() const {
  return agentsim::resolve(with_port(balancer_host, enrollment_port_)).value();
}

std::string two_nodes::connect(client& which) const {
  auto from = agentsim::source_address(which.address, 0).value();
  if (auto made = which.agent->connect(balanced_agents(), &from); !made) return to_string(made.error());
  auto answer = which.agent->startup();
  if (!answer) return to_string(answer.error());
  return *answer == "#!-agent ack " ? "" : *answer;
}

std::size_t two_nodes::node_of(const client& which) const {
  std::size_t found = nodes_.size();
  harness::eventually([&] {
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      if (nodes_[i]->agent(which.agent->who().id).contains("connection")) found = i;
    return found < nodes_.size();
  });
  if (found == nodes_.size()) throw std::runtime_error{"no node has the session of " + which.address};
  return found;
}

void two_nodes::connect_all() {
  for (auto& one : clients_)
    if (auto why = connect(one); !why.empty()) throw std::runtime_error{one.address + ": " + why};
}

std::vector<client*> two_nodes::on(std::size_t node) {
  std::vector<client*> found;
  for (auto& one : clients_)
    if (one.agent->connected() && node_of(one) == node) found.push_back(&one);
  return found;
}

bool two_nodes::delivers(client& from, std::size_t node, const std::string& text) {
  if (!from.agent->send_event("/var/log/x", text)) return false;
  return harness::eventually([&] {
    for (const auto& event : nodes_[node]->archives())
      if (event.value("full_log", "") == text && event["agent"]["id"] == from.agent->who().id)
        return !named_ || event["agent"].value("ip", "") == from.address;
    return false;
  });
}

std::string two_nodes::picketctl(std::size_t node, const std::string& words) const {
  auto command = std::string{PICKET_BINARY_DIR "/picketctl --insecure --url https://"}
                 + nodes_[node]->api_text() + " --token-file "
                 + (nodes_[node]->directory() / "data" / "api.token").string() + " " + words;
  std::string text;
  auto* pipe = ::popen(command.c_str(), "r");
  char part[4'096];
  for (std::size_t got = 0; (got = std::fread(part, 1, sizeof part, pipe)) > 0;)
    text.append(part, got);
  ::pclose(pipe);
  return text;
}

} // namespace picket::balancer
