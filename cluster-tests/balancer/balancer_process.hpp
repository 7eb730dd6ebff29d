#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "cluster-tests/agentsim/socket.hpp"

namespace picket::balancer {

/// The program's path, or empty where it is not installed.
std::string find_program(const std::string& name);

/// A real HAProxy or nginx in the foreground, with a configuration of its own. Ended when it goes out of
/// scope.
class balancer_process {
public:
  /// `command`: the program and its arguments. What it says goes to `log_file`.
  balancer_process(std::vector<std::string> command, std::filesystem::path log_file);
  ~balancer_process();
  balancer_process(const balancer_process&) = delete;
  balancer_process& operator=(const balancer_process&) = delete;

  /// Waits until a connection to `where` is taken. False: it ended, or did not listen in time; `log()` says
  /// why.
  bool serves(const agentsim::socket_address& where) const;
  void signal(int number) const;
  bool running() const;
  std::string log() const;

private:
  pid_t pid_ = -1;
  std::filesystem::path log_file_;
};

/// One command on HAProxy's own socket, and what it answers.
std::string haproxy_says(const std::filesystem::path& socket_file, const std::string& command);

/// A port that nobody uses at this moment, on any address of this machine.
std::uint16_t free_port();

} // namespace picket::balancer
