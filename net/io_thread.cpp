#include "net/io_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <future>

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/time.hpp"

namespace picket::net {

namespace {

constexpr int events_a_round = 256;
constexpr int idle_wait_ms = 1000;

void wake_up(int fd) {
  std::uint64_t one = 1;
  [[maybe_unused]] auto written = ::write(fd, &one, sizeof one);
}

} // namespace

io_thread::io_thread(std::string name)
    : name_{std::move(name)}
    , read_buffer_(read_buffer_bytes) {
  read_clocks();
}

result<std::unique_ptr<io_thread>> io_thread::create(std::string name) {
  std::unique_ptr<io_thread> self{new io_thread{std::move(name)}};
  self->epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  self->wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self->epoll_fd_ < 0 || self->wake_fd_ < 0)
    return fail(errc::io, "cannot create an event loop: " + system_text(errno), {},
                "raise the limit of open files (LimitNOFILE)");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(self->epoll_fd_, EPOLL_CTL_ADD, self->wake_fd_, &event) != 0)
    return fail(errc::io, "cannot watch the wake-up descriptor: " + system_text(errno));
  return self;
}

io_thread::~io_thread() {
  stop();
  if (epoll_fd_ >= 0) ::close(epoll_fd_);
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void io_thread::start() {
  thread_ = std::thread{[this] {
    thread_id_ = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    loop();
  }};
}

void io_thread::stop() {
  stopping_ = true;
  wake_up(wake_fd_);
  if (thread_.joinable()) thread_.join();
  std::lock_guard lock{mutex_};
  ended_ = true;
  tasks_.clear();
}

bool io_thread::post(std::function<void()> task) { return add_task(std::move(task), task_limit); }

bool io_thread::post_unlimited(std::function<void()> task) { return add_task(std::move(task), SIZE_MAX); }

bool io_thread::add_task(std::function<void()> task, std::size_t limit) {
  bool wake = false;
  {
    std::lock_guard lock{mutex_};
    if (ended_ || tasks_.size() >= limit) return false;
    wake = tasks_.empty();
    tasks_.push_back(std::move(task));
  }
  if (wake) wake_up(wake_fd_);
  return true;
}

bool io_thread::run(std::function<void()> task) {
  if (on_this_thread()) {
    task();
    return true;
  }
  if (!thread_.joinable()) return false; // not started: nobody would ever run it
  auto done = std::make_shared<std::promise<void>>();
  auto waiter = done->get_future();
  // The promise dies with the task if the thread ends first; the wait then ends as well.
  if (!post([task = std::move(task), done = std::move(done)] {
        task();
        done->set_value();
      }))
    return false;
  try {
    waiter.get();
    return true;
  } catch (const std::future_error&) {
    return false;
  }
}

timer_id io_thread::after(std::int64_t delay_ms, std::function<void()> task) {
  auto id = next_timer_++;
  auto due = steady_clock_ms() + std::max<std::int64_t>(delay_ms, 0);
  timers_.emplace(std::make_pair(due, id), std::move(task));
  timer_due_.emplace(id, due);
  return id;
}

void io_thread::cancel(timer_id id) {
  auto found = timer_due_.find(id);
  if (found == timer_due_.end()) return;
  timers_.erase({found->second, id});
  timer_due_.erase(found);
}

result<void> io_thread::watch(int fd, std::uint32_t events, io_source* source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = source;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(errc::io, "cannot watch a descriptor: " + system_text(errno));
  return {};
}

void io_thread::change(int fd, std::uint32_t events, io_source* source) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = source;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void io_thread::unwatch(int fd, io_source* source) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  gone_this_round_.push_back(source);
}

void io_thread::retire(std::shared_ptr<void> object) { retired_.push_back(std::move(object)); }

void io_thread::run_tasks() {
  std::uint64_t count = 0;
  [[maybe_unused]] auto got = ::read(wake_fd_, &count, sizeof count);
  std::vector<std::function<void()>> ready;
  {
    std::lock_guard lock{mutex_};
    ready.swap(tasks_);
  }
  for (auto& task : ready)
    task();
}

int io_thread::run_timers() {
  auto now = steady_clock_ms();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    auto node = timers_.extract(timers_.begin());
    timer_due_.erase(node.key().second);
    node.mapped()();
  }
  if (timers_.empty()) return idle_wait_ms;
  return static_cast<int>(std::clamp<std::int64_t>(timers_.begin()->first.first - now, 0, idle_wait_ms));
}

void io_thread::read_clocks() noexcept {
  now_ms_ = steady_clock_ms();
  wall_ms_ = wall_clock_ms();
}

void io_thread::round(int most_wait_ms) {
  epoll_event events[events_a_round];
  read_clocks();
  int wait_ms = std::min(run_timers(), most_wait_ms);
  retired_.clear();
  if (stopping_) {
    run_tasks();
    retired_.clear();
    return;
  }
  int count = epoll_wait(epoll_fd_, events, events_a_round, wait_ms);
  read_clocks();
  gone_this_round_.clear();
  for (int i = 0; i < count; ++i) {
    auto* source = static_cast<io_source*>(events[i].data.ptr);
    if (source == nullptr)
      run_tasks();
    else if (std::find(gone_this_round_.begin(), gone_this_round_.end(), source) == gone_this_round_.end())
      source->on_events(events[i].events);
  }
  retired_.clear();
}

void io_thread::loop() {
  while (!stopping_)
    round(idle_wait_ms);
  round(0);
}

void io_thread::step() {
  thread_id_ = std::this_thread::get_id();
  round(0);
}

} // namespace picket::net
