#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"

namespace picket::net {

using timer_id = std::uint64_t;

/// What waits for a descriptor's events on an I/O thread.
class io_source {
public:
  virtual ~io_source() = default;
  /// `events`: the EPOLL* bits that came. Runs on the I/O thread.
  virtual void on_events(std::uint32_t events) = 0;
};

/// One thread with one epoll loop. Everything that belongs to it (connections, listeners, timers) is touched
/// on this thread only; others hand in work with `post`.
///
/// Bound: `task_limit` posted tasks wait at most. Callbacks must not block.
class io_thread {
public:
  static constexpr std::size_t task_limit = 65'536;
  static constexpr std::size_t read_buffer_bytes = 256 * 1024;

  /// Errors: io (no descriptor left).
  static result<std::unique_ptr<io_thread>> create(std::string name);
  ~io_thread();

  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  void start();
  /// One round on the calling thread, which thereby becomes this one, without waiting: instead of `start`,
  /// for simulations.
  void step();
  /// Ends the loop after the tasks that were posted before; joins. May be called twice.
  void stop();

  /// Runs `task` on the thread. False, and nothing taken, if the limit is reached or the thread has ended.
  bool post(std::function<void()> task);
  /// As `post`, without the limit: for tasks whose number something else bounds, and which must not be lost.
  bool post_unlimited(std::function<void()> task);
  /// As `post`, and waits until it has run. From the thread itself it runs at once. False: it did not run,
  /// the thread is not started or has ended.
  bool run(std::function<void()> task);

  bool on_this_thread() const noexcept { return std::this_thread::get_id() == thread_id_.load(); }

  // -- on the thread only
  // ------------------------------------------------------------------------------------

  /// Calls `task` once, `delay_ms` from now.
  timer_id after(std::int64_t delay_ms, std::function<void()> task);
  void cancel(timer_id id);

  /// Errors: io.
  result<void> watch(int fd, std::uint32_t events, io_source* source);
  void change(int fd, std::uint32_t events, io_source* source);
  /// The source gets no event any more, also none of the round that is being handled.
  void unwatch(int fd, io_source* source);

  /// Keeps `object` alive until the round of events that is being handled is over, then drops it.
  void retire(std::shared_ptr<void> object);

  /// Where sockets are read into; valid during a callback.
  std::byte* read_buffer() noexcept { return read_buffer_.data(); }

  /// Steady clock in ms, read once a round.
  std::int64_t now_ms() const noexcept { return now_ms_; }
  /// Wall clock in ms, read once a round.
  std::int64_t wall_ms() const noexcept { return wall_ms_; }

private:
  explicit io_thread(std::string name);
  bool add_task(std::function<void()> task, std::size_t limit);
  void loop();
  void round(int most_wait_ms);
  void run_tasks();
  int run_timers();
  void read_clocks() noexcept;

  std::string name_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;

  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;
  bool ended_ = false;

  std::map<std::pair<std::int64_t, timer_id>, std::function<void()>> timers_;
  std::unordered_map<timer_id, std::int64_t> timer_due_;
  timer_id next_timer_ = 1;

  std::vector<io_source*> gone_this_round_;
  std::vector<std::shared_ptr<void>> retired_;
  std::vector<std::byte> read_buffer_;
  std::int64_t now_ms_ = 0;
  std::int64_t wall_ms_ = 0;
};

} // namespace picket::net
