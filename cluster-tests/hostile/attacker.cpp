#include "cluster-tests/hostile/attacker.hpp"

#include <algorithm>
#include <cerrno>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.hpp"

namespace picket::hostile {

namespace {

constexpr std::int64_t connect_limit_ms = 1'000;

} // namespace

attacker::attacker(target whom, std::int64_t until_ms, double per_s, std::size_t how_many)
    : at{std::move(whom)}
    , sockets{how_many}
    , until_ms_{until_ms}
    , per_s_{per_s}
    , due_ms_{static_cast<double>(steady_clock_ms())} {}

bool attacker::going() const { return !stopped_ && steady_clock_ms() < until_ms_; }

void attacker::rest(int ms) const { ::poll(nullptr, 0, ms); }

bool attacker::pace() {
  if (!going()) return false;
  auto now_ms = static_cast<double>(steady_clock_ms());
  due_ms_ = std::max(due_ms_, now_ms - 20) + 1'000 / per_s_; // what was missed is not made up for
  if (due_ms_ > now_ms + 1) rest(static_cast<int>(due_ms_ - now_ms));
  return going();
}

agentsim::file_descriptor attacker::connect(const agentsim::socket_address& to, int source) {
  agentsim::socket_address own;
  if (source >= 0) own = agentsim::source_address("127.66.0.1", static_cast<std::uint32_t>(source)).value();
  auto fd = agentsim::begin_connect(to, source >= 0 ? &own : nullptr);
  if (!fd || !agentsim::wait_writable(fd->get(), steady_clock_ms() + connect_limit_ms)
      || agentsim::connect_outcome(fd->get()) != 0) {
    ++counts.failed;
    return {};
  }
  ++counts.connections;
  return std::move(*fd);
}

bool attacker::send(const agentsim::file_descriptor& to, byte_view bytes) {
  while (!bytes.empty()) {
    auto put = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  ++counts.sent;
  return true;
}

bool attacker::closed(const agentsim::file_descriptor& which) {
  char sink[4'096];
  for (;;) {
    auto got = ::recv(which.get(), sink, sizeof sink, MSG_DONTWAIT);
    if (got > 0) {
      ++counts.answers;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return false;
    ++counts.closed;
    return true;
  }
}

bool attacker::wait_closed(const agentsim::file_descriptor& which, std::int64_t limit_ms) {
  const auto until_ms = std::min(until_ms_, steady_clock_ms() + limit_ms);
  while (!closed(which))
    if (stopped_ || !agentsim::wait_readable(which.get(), until_ms)) return false;
  return true;
}

void attacker::reset(agentsim::file_descriptor& which) {
  linger hard{1, 0};
  ::setsockopt(which.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  which.reset();
}

const attack* find_attack(std::string_view name) {
  for (auto all : {agent_port_attacks(), record_attacks(), enrollment_attacks(), http_attacks()})
    for (const auto& one : all)
      if (one.name == name) return &one;
  return nullptr;
}

} // namespace picket::hostile
