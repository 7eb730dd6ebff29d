#include "cluster-tests/soak/load.hpp"

#include <cstdlib>
#include <fstream>
#include <random>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::soak {

namespace {

constexpr int lines_of_a_file = 500;
constexpr int line_bytes = 272; ///< with the number behind it 300 in the mean

} // namespace

std::int64_t seconds_or(std::int64_t given) {
  const char* text = std::getenv("PICKET_SOAK_SECONDS");
  return text != nullptr ? std::max<std::int64_t>(20, std::atoll(text)) : given;
}

std::string free_address() {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

agentsim::sim_options numbered_load(const std::filesystem::path& scratch, const std::string& server,
                                    const std::string& enroll, std::size_t agents, double rate_per_s) {
  auto file = scratch / "lines.log";
  std::mt19937 random{300};
  std::ofstream out{file};
  for (int i = 0; i < lines_of_a_file; ++i) {
    std::string line =
        "Nov 29 13:00:00 host-" + std::to_string(i % 7) + " app[" + std::to_string(1'000 + i) + "]: ";
    while (line.size() < line_bytes)
      line += line.size() % 40 < 20 ? "0123456789abcdef"[random() % 16] : "request done "[line.size() % 13];
    out << line << "\n";
  }
  agentsim::sim_options options;
  options.agents = agents;
  options.servers = {server};
  options.enroll = enroll;
  options.files = {file.string() + "=/var/log/app.log"};
  options.rate_per_s = rate_per_s;
  options.lines_per_agent = 100'000'000;
  options.number = true;
  options.run = "soak";
  return options;
}

std::uint64_t memory_bytes(pid_t pid, const std::string& field) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  std::string line;
  while (std::getline(status, line))
    if (line.starts_with(field + ":"))
      return std::strtoull(line.c_str() + field.size() + 1, nullptr, 10) << 10U;
  return 0;
}

agentsim::verdict verify(const harness::node_process& node, const agentsim::simulator& simulator,
                         agentsim::verifier& checker) {
  agentsim::file_follower follower{node.archives_file()};
  auto read = follower.read_on(checker);
  EXPECT_TRUE(read) << (read ? "" : to_string(read.error()));
  return checker.judge(simulator.sent_by_agent());
}

} // namespace picket::soak
