#include "actors/examiner/child_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/faults/faults.hpp"

extern char** environ;

namespace picket {

namespace {

constexpr std::size_t read_bytes = 65'536;

/// Attributes and file actions of a spawn, given back whatever happens.
struct spawn_plan {
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
  spawn_plan() {
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~spawn_plan() {
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
  }
};

/// Our environment; the faults are those of now.
std::vector<std::string> child_environment() {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at)
    if (!faults::built_in || std::string_view{*at}.substr(0, 14) != "PICKET_FAULTS=")
      variables.emplace_back(*at);
  if (faults::built_in) variables.push_back("PICKET_FAULTS=" + faults::as_text());
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (auto& text : texts)
    pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

} // namespace

result<pid_t> child_process::spawn(const std::vector<std::string>& command, int socket) {
  spawn_plan plan;
  ::posix_spawn_file_actions_adddup2(&plan.actions, socket, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&plan.actions, socket, STDOUT_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
  // A node blocks and ignores signals; its child shall not.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &all);
  ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  ::posix_spawnattr_setflags(&plan.attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  auto arguments = command;
  auto variables = child_environment();
  pid_t pid = -1;
  int number = ::posix_spawn(&pid, command.front().c_str(), &plan.actions, &plan.attributes,
                             pointers_to(arguments).data(), pointers_to(variables).data());
  if (number != 0)
    return fail(errc::io, "cannot start a child process: " + system_text(number), command.front());
  return pid;
}

result<std::unique_ptr<child_process>> child_process::start(const std::vector<std::string>& command) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
    return fail(errc::io, "cannot make a socket to a child process: " + system_text(errno));
  auto pid = spawn(command, sockets[1]);
  ::close(sockets[1]);
  if (!pid) {
    ::close(sockets[0]);
    return tl::unexpected<error>(pid.error());
  }
  return std::unique_ptr<child_process>{new child_process{*pid, sockets[0]}};
}

child_process::~child_process() {
  end();
  ::close(socket_);
}

child_process::exchanged child_process::exchange(std::string_view& unsent, std::int64_t wait_ms) {
  pollfd wanted{socket_, static_cast<short>(unsent.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  if (::poll(&wanted, 1, static_cast<int>(wait_ms)) <= 0) return {};
  if ((wanted.revents & POLLOUT) != 0 && !unsent.empty()) {
    auto sent = ::send(socket_, unsent.data(), unsent.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) unsent.remove_prefix(static_cast<std::size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR) unsent = {}; // it reads no more; it may still speak
  }
  if ((wanted.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return {};
  exchanged got;
  got.bytes.resize(read_bytes);
  auto n = ::recv(socket_, got.bytes.data(), got.bytes.size(), MSG_DONTWAIT);
  got.ended = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
  got.bytes.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return got;
}

std::string child_process::end() {
  if (pid_ <= 0) return end_;
  int status = 0;
  ::kill(-pid_, SIGKILL); // of no effect on one that is just exiting
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  end_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit code " + std::to_string(WEXITSTATUS(status));
  return end_;
}

} // namespace picket
