#include "cluster-tests/balancer/balancer_process.hpp"

#include <csignal>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.hpp"
#include "cluster-tests/harness/node_process.hpp"

namespace picket::balancer {

namespace {

constexpr std::int64_t socket_limit_ms = 5'000;

} // namespace

std::string find_program(const std::string& name) {
  for (const auto* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/"}) {
    auto path = directory + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

balancer_process::balancer_process(std::vector<std::string> command, std::filesystem::path log_file)
    : log_file_{std::move(log_file)} {
  std::vector<char*> arguments;
  for (auto& word : command)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  auto file = log_file_.string();
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  int out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execv(arguments.front(), arguments.data());
  ::_exit(126);
}

balancer_process::~balancer_process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  bool ended = harness::eventually([this] { return ::waitpid(pid_, nullptr, WNOHANG) == pid_; },
                                   std::chrono::seconds{10});
  if (ended) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool balancer_process::serves(const agentsim::socket_address& where) const {
  bool taken = false;
  harness::eventually(
      [&] {
        if (!running()) return true;
        auto fd = agentsim::begin_connect(where);
        taken = fd && agentsim::wait_writable(fd->get(), steady_clock_ms() + 1'000)
                && agentsim::connect_outcome(fd->get()) == 0;
        return taken;
      },
      std::chrono::seconds{20});
  return taken;
}

void balancer_process::signal(int number) const { ::kill(pid_, number); }

bool balancer_process::running() const {
  siginfo_t info{};
  return pid_ > 0 && ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0
         && info.si_pid == 0;
}

std::string balancer_process::log() const {
  std::ostringstream text;
  text << std::ifstream{log_file_}.rdbuf();
  return text.str();
}

std::string haproxy_says(const std::filesystem::path& socket_file, const std::string& command) {
  agentsim::file_descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  auto path = socket_file.string();
  if (path.size() >= sizeof where.sun_path) return {};
  path.copy(where.sun_path, path.size());
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return {};
  auto line = command + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(line.size()))
    return {};
  std::string answer;
  char part[4'096];
  while (agentsim::wait_readable(fd.get(), steady_clock_ms() + socket_limit_ms)) {
    auto got = ::recv(fd.get(), part, sizeof part, 0);
    if (got <= 0) break;
    answer.append(part, static_cast<std::size_t>(got));
  }
  return answer;
}

std::uint16_t free_port() {
  agentsim::file_descriptor fd{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in any{};
  any.sin_family = AF_INET;
  socklen_t size = sizeof any;
  ::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), size);
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&any), &size);
  return ntohs(any.sin_port);
}

} // namespace picket::balancer
