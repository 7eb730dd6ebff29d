#include "actors/examiner/child.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace picket {

using namespace protocol::examination;

namespace {

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// Whoever listens is gone: there is nobody to work for.
void report(int out, const step& what) {
  if (!write_all(out, encode(what))) ::_exit(1);
}

result<request> read_request(int in) {
  frame_cutter frames{max_request_bytes};
  char bytes[65'536];
  while (true) {
    auto body = frames.next();
    if (!body) return tl::unexpected<error>(body.error());
    if (!body->empty()) return decode_request(*body);
    auto n = ::read(in, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(errc::io, "the request ends early");
    frames.feed({bytes, static_cast<std::size_t>(n)});
  }
}

/// How a worker ended; nothing: it did all it had to.
std::optional<std::string> end_of(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

/// Memory that a worker and its parent share.
using shared_place = std::atomic<std::uint32_t>;

shared_place* make_shared_place() {
  void* page =
      ::mmap(nullptr, sizeof(shared_place), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : new (page) shared_place{0};
}

/// A worker's life; does not return.
[[noreturn]] void work_on(line_worker& worker, std::uint32_t from, std::size_t count, shared_place& place,
                          int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (auto i = from; i < count; ++i) {
    place = i;
    worker.run(i, [out](const step& what) { report(out, what); });
  }
  ::_exit(0);
}

int run_workers(const request& what, line_worker& worker, int out) {
  auto* place = make_shared_place();
  if (place == nullptr) {
    report(out, {step_kind::failed, 0, "no memory to share with a worker"});
    return 1;
  }
  std::optional<std::uint32_t> killed_at; // a record may be begun twice: the system may kill for memory
  for (auto next = what.first; next < what.records.size();) {
    *place = next;
    auto pid = ::fork();
    if (pid == 0) work_on(worker, next, what.records.size(), *place, out);
    int status = 0;
    while (pid > 0 && ::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (pid < 0) {
      report(out, {step_kind::failed, next, "no worker could be started"});
      return 1;
    }
    auto end = end_of(status);
    if (!end) break;
    auto at = place->load(); // it may have written anything there
    auto died_of = at >= next && at < what.records.size() ? at : next;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && killed_at != died_of) {
      killed_at = next = died_of;
      continue;
    }
    report(out, {step_kind::died, died_of, *end});
    next = died_of + 1;
  }
  report(out, {step_kind::finished, 0, {}});
  return 0;
}

} // namespace

int run_examination_child(int in, int out, const rules_loader& load) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct rlimit no_cores {};
  ::setrlimit(RLIMIT_CORE, &no_cores); // the first two deaths have left theirs
  std::signal(SIGPIPE, SIG_IGN);
  auto what = read_request(in);
  if (!what) {
    report(out, {step_kind::failed, 0, what.error().what});
    return 1;
  }
  auto rules = load(*what);
  if (!rules) {
    report(out, {step_kind::failed, 0, to_string(rules.error())});
    return 1;
  }
  line_worker worker{*what, *rules};
  report(out, {step_kind::ready, 0, {}});
  return run_workers(*what, worker, out);
}

} // namespace picket
