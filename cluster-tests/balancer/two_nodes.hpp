#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cluster-tests/agentsim/blocking_agent.hpp"
#include "cluster-tests/harness/node_process.hpp"

namespace picket::balancer {

/// An agent on an address of its own that knows only the balancer.
struct client {
  std::string address;
  std::unique_ptr<agentsim::blocking_agent> agent;
};

/// The nodes n1 and n2 of the page, each with the keys of the same agents, on 127.0.1.11 and 127.0.1.12; the
/// balancer is on 127.0.0.1 and has the same ports.
class two_nodes {
public:
  /// `named`: they are set up as the page says for a balancer with the PROXY protocol, and each agent is
  /// registered with its own address; otherwise all with `any`.
  two_nodes(const std::filesystem::path& directory, bool named, std::size_t agents);

  /// Errors: what a node said instead.
  result<void> start();
  harness::node_process& operator[](std::size_t which) { return *nodes_[which]; }

  /// A configuration of the page with this machine's addresses and ports. `binds`: how it writes where it
  /// listens, up to the port.
  std::string fitted(const std::string& text, const std::string& binds) const;
  agentsim::socket_address balanced_agents() const;
  agentsim::socket_address balanced_enrollment() const;

  std::vector<client>& clients() noexcept { return clients_; }
  /// Connects through the balancer and says hello. Empty: acknowledged; otherwise why not.
  std::string connect(client& which) const;
  /// Connects all and waits until each is seen on a node. Throws if one is not.
  void connect_all();
  /// The node that has the client's session: 0 or 1. Throws if none has: ask before one is frozen.
  std::size_t node_of(const client& which) const;
  /// Clients whose session is on that node.
  std::vector<client*> on(std::size_t node);
  /// Sends a line and waits until the node has it, from that agent; with `named`, with the client's address.
  bool delivers(client& from, std::size_t node, const std::string& text);

  /// `picketctl` for that node: what it prints.
  std::string picketctl(std::size_t node, const std::string& words) const;

private:
  bool named_;
  std::uint16_t agent_port_, enrollment_port_, check_port_;
  std::vector<std::unique_ptr<harness::node_process>> nodes_;
  std::vector<client> clients_;
};

} // namespace picket::balancer
