#include "cluster-tests/agentsim/simulator.hpp"

#include "base/time.hpp"
#include "cluster-tests/agentsim/sim_connection.hpp"

#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::agentsim {

namespace {

constexpr std::size_t room_bytes = 65'536; ///< of unsent output below which an agent takes lines
constexpr std::uint64_t wake_mark = UINT64_MAX;
constexpr std::int64_t goodbye_ms = 5'000;

} // namespace

double thread_cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

simulator::simulator(sim_options options)
    : options_(std::move(options))
    , epoll_(epoll_create1(EPOLL_CLOEXEC))
    , wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_mark;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

simulator::~simulator() = default;

void simulator::stop() noexcept {
  stop_ = true;
  std::uint64_t one = 1;
  static_cast<void>(!::write(wake_.get(), &one, sizeof one));
}

// ---- sockets ----

void simulator::open(connection& one, std::int64_t now_ms) {
  close(one);
  socket_address source;
  const socket_address* from = nullptr;
  if (!options_.source.empty()) {
    if (auto own = source_address(options_.source, static_cast<std::uint32_t>(one.index))) source = *own;
    from = &source;
  }
  auto fd = begin_connect(servers_[one.agent.server()], from);
  if (!fd) {
    obey(one, one.agent.on_closed(now_ms), now_ms);
    return;
  }
  one.fd = std::move(*fd);
  one.connecting = true;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u64 = one.index;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, one.fd.get(), &event);
  one.waits_for_room = true;
}

/// What was not flushed goes out again on the next connection.
void simulator::close(connection& one) {
  if (one.fd) settle_sent(one);
  if (one.fd && !one.history.lines.empty()) {
    one.history.closed_ms = steady_clock_ms();
    history_.push_back(std::move(one.history));
  }
  one.history = {};
  one.fd.reset();
  one.next_line -= one.queued_ends.size();
  given_ -= one.queued_ends.size();
  one.queued_ends.clear();
  one.flushed_ends.clear();
  one.queued_bytes = 0;
  one.flushed_bytes = 0;
  one.connecting = false;
  one.waits_for_room = false;
  one.finishing = false;
  one.half_closed = false;
}

void simulator::obey(connection& one, sim_agent::ask wanted, std::int64_t now_ms) {
  switch (wanted) {
  case sim_agent::ask::nothing:
    break;
  case sim_agent::ask::open:
    open(one, now_ms);
    break;
  case sim_agent::ask::close:
    close(one);
    break;
  case sim_agent::ask::finish:
    one.finishing = true;
    break;
  }
  if (one.fd && !one.connecting) flush(one, now_ms);
  bool wants_lines = one.agent.now() == sim_agent::phase::connected && !one.finishing;
  if (wants_lines && !one.hungry && has_lines(one)) {
    one.hungry = true;
    hungry_.push_back(one.index);
  }
  arm_timer(one);
}

void simulator::flush(connection& one, std::int64_t now_ms) {
  auto& agent = one.agent;
  one.queued_bytes = one.flushed_bytes + agent.unsent();
  while (agent.unsent() > 0) {
    auto n = ::send(one.fd.get(), agent.output.data() + agent.output_sent, agent.unsent(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {
      obey(one, agent.on_closed(now_ms), now_ms);
      return;
    }
    agent.output_sent += static_cast<std::size_t>(n);
    one.flushed_bytes += static_cast<std::uint64_t>(n);
    bytes_ += static_cast<std::uint64_t>(n);
  }
  agent.trim_output();
  while (!one.queued_ends.empty() && one.queued_ends.front() <= one.flushed_bytes) {
    one.flushed_ends.push_back(one.queued_ends.front());
    one.queued_ends.pop_front();
    ++one.sent;
    sent_.fetch_add(1, std::memory_order_relaxed);
  }
  constexpr std::size_t many = 4'096;
  if (one.flushed_ends.size() > many) settle_sent(one);
  bool blocked = agent.unsent() > 0;
  if (blocked != one.waits_for_room) {
    one.waits_for_room = blocked;
    epoll_event event{};
    event.events = EPOLLIN | (blocked ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    event.data.u64 = one.index;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, one.fd.get(), &event);
  }
  if (!blocked && one.finishing && !one.half_closed) {
    one.half_closed = true;
    ::shutdown(one.fd.get(), SHUT_WR); // the peer reads all, then ends the connection
  }
}

/// Counts the lines that the peer's kernel has acknowledged.
void simulator::settle_sent(connection& one) {
  auto waiting = unacknowledged_bytes(one.fd.get());
  auto acknowledged = one.flushed_bytes > waiting ? one.flushed_bytes - waiting : 0;
  while (!one.flushed_ends.empty() && one.flushed_ends.front() <= acknowledged) {
    one.flushed_ends.pop_front();
    ++one.accepted;
  }
}

void simulator::read(connection& one, std::int64_t now_ms) {
  std::byte buffer[65'536];
  auto n = ::recv(one.fd.get(), buffer, sizeof buffer, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0)
    obey(one, one.agent.on_closed(now_ms), now_ms);
  else
    obey(one, one.agent.on_bytes({buffer, static_cast<std::size_t>(n)}, now_ms), now_ms);
}

void simulator::handle(connection& one, std::uint32_t events, std::int64_t now_ms) {
  if (!one.fd) return;
  if (one.connecting) {
    if (connect_outcome(one.fd.get()) != 0) {
      obey(one, one.agent.on_closed(now_ms), now_ms);
      return;
    }
    one.connecting = false;
    one.history.agent = one.agent.who().id;
    one.history.opened_ms = now_ms;
    obey(one, one.agent.on_connected(now_ms), now_ms);
    return;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    read(one, now_ms);
    return;
  }
  if ((events & EPOLLOUT) != 0) obey(one, sim_agent::ask::nothing, now_ms);
}

// ---- timers ----

void simulator::arm_timer(connection& one) {
  auto due = one.agent.next_timer_ms();
  if (due == INT64_MAX || (one.armed_ms != 0 && one.armed_ms <= due)) return;
  timer next;
  next.due_ms = due;
  next.agent = one.index;
  timers_.push(next);
  one.armed_ms = due;
}

void simulator::fire_timers(std::int64_t now_ms) {
  while (!timers_.empty() && timers_.top().due_ms <= now_ms) {
    auto& one = *connections_[timers_.top().agent];
    timers_.pop();
    one.armed_ms = 0;
    obey(one, one.agent.on_timer(now_ms), now_ms);
  }
}

// ---- lines ----

bool simulator::has_lines(const connection& one) const noexcept {
  return feeding_ && one.next_line < lines_wanted_;
}

/// Puts the agent's next line into its output.
bool simulator::feed_one(connection& one) {
  auto before = one.agent.output.size();
  if (options_.on_line) options_.on_line(one.agent.who().id, one.next_line + 1);
  if (options_.prebuilt) {
    auto begin = one.next_line == 0 ? 0 : one.prebuilt_ends[one.next_line - 1];
    auto end = one.prebuilt_ends[one.next_line];
    one.agent.send_sealed(byte_view{one.prebuilt}.subspan(begin, end - begin));
  } else {
    auto suffix =
        options_.number ? number_suffix(options_.run, one.agent.who().id, one.next_line + 1) : std::string{};
    one.agent.send_message(lines_.message(one.next_line, suffix));
  }
  one.queued_bytes += one.agent.output.size() - before;
  one.queued_ends.push_back(one.queued_bytes);
  ++one.next_line;
  if (options_.keep_history) one.history.lines.push_back({one.agent.records_of_connection(), one.next_line});
  ++given_;
  return has_lines(one);
}

void simulator::feed(std::int64_t now_ms) {
  if (!feeding_ || hungry_.empty()) return;
  if (first_event_ms_ == 0) {
    first_event_ms_ = now_ms;
    cpu_at_start_ = thread_cpu_seconds();
  }
  auto budget = UINT64_MAX;
  if (options_.rate_per_s > 0) {
    auto due = static_cast<std::uint64_t>(options_.rate_per_s * static_cast<double>(now_ms - first_event_ms_)
                                          / 1'000)
               + 1;
    budget = due > given_ ? due - given_ : 0;
  }
  const std::uint64_t burst = options_.rate_per_s > 0 ? 1 : 64;
  for (auto turns = hungry_.size();
       budget > 0 && !hungry_.empty() && (options_.rate_per_s > 0 || turns-- > 0);) {
    auto& one = *connections_[hungry_.front()];
    hungry_.pop_front();
    one.hungry = false;
    bool eligible =
        one.fd && one.agent.now() == sim_agent::phase::connected && !one.finishing && has_lines(one);
    if (!eligible) continue;
    one.queued_bytes = one.flushed_bytes + one.agent.unsent();
    bool more = true;
    for (std::uint64_t i = 0; more && i < burst && budget > 0 && one.agent.unsent() < room_bytes;
         ++i, --budget)
      more = feed_one(one);
    last_event_ms_ = now_ms;
    flush(one, now_ms);
    bool room = one.fd && one.agent.unsent() < room_bytes;
    if (more && room && !one.hungry && one.agent.now() == sim_agent::phase::connected) {
      one.hungry = true;
      hungry_.push_back(one.index);
    }
  }
}

// ---- the run ----

void simulator::turn(int timeout_ms) {
  epoll_event events[256];
  int count = epoll_wait(epoll_.get(), events, 256, timeout_ms);
  auto now_ms = steady_clock_ms();
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == wake_mark) {
      std::uint64_t ignored = 0;
      static_cast<void>(!::read(wake_.get(), &ignored, sizeof ignored));
    } else {
      handle(*connections_[events[i].data.u64], events[i].events, now_ms);
    }
  }
  fire_timers(now_ms);
  feed(now_ms);
}

result<sim_report> simulator::run() {
  make_agents();
  const auto begin_ms = steady_clock_ms();
  cpu_at_start_ = thread_cpu_seconds();
  for (auto& one : connections_)
    obey(*one, one->agent.start(begin_ms), begin_ms);
  std::int64_t linger_until_ms = 0;
  while (!stop_) {
    auto now_ms = steady_clock_ms();
    if (now_ms - begin_ms > options_.timeout_ms) {
      timed_out_ = true;
      break;
    }
    if (options_.duration_ms > 0 && first_event_ms_ != 0
        && now_ms - first_event_ms_ >= options_.duration_ms) {
      feeding_ = false;
      hungry_.clear();
    }
    bool all_out =
        hungry_.empty() && std::all_of(connections_.begin(), connections_.end(), [&](const auto& one) {
          return one->queued_ends.empty() && !has_lines(*one) && one->agent.counts().connects > 0;
        });
    if (all_out && linger_until_ms == 0) linger_until_ms = now_ms + options_.linger_ms;
    if (linger_until_ms != 0 && now_ms >= linger_until_ms) break;
    bool busy = options_.rate_per_s <= 0 && !hungry_.empty();
    turn(busy ? 0 : hungry_.empty() ? 50 : 1);
  }
  cpu_at_end_ = thread_cpu_seconds();
  feeding_ = false;
  auto now_ms = steady_clock_ms();
  const auto goodbye_until_ms = now_ms + goodbye_ms;
  for (auto& one : connections_)
    if (options_.say_goodbye) obey(*one, one->agent.stop(now_ms), now_ms);
  auto still_open = [&] {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const auto& one) { return static_cast<bool>(one->fd); });
  };
  while (options_.say_goodbye && still_open() && steady_clock_ms() < goodbye_until_ms)
    turn(50);
  auto done = report();
  for (auto& one : connections_)
    close(*one);
  return done;
}

std::map<std::string, std::uint64_t, std::less<>> simulator::sent_by_agent() const {
  std::map<std::string, std::uint64_t, std::less<>> counts;
  for (const auto& one : connections_)
    counts[one->agent.who().id] = one->sent;
  return counts;
}

} // namespace picket::agentsim
