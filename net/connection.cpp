#include "net/connection.hpp"

#include <atomic>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls.hpp"

namespace picket::net {

namespace {

std::atomic<connection_token> next_token{1};

} // namespace

std::string_view name_of(close_reason reason) noexcept {
  switch (reason) {
  case close_reason::by_us:
    return "by_us";
  case close_reason::by_peer:
    return "by_peer";
  case close_reason::reset:
    return "reset";
  case close_reason::deadline:
    return "deadline";
  case close_reason::stuck_writing:
    return "stuck_writing";
  case close_reason::tls:
    return "tls";
  }
  return "unknown";
}

connection::connection(io_thread& thread, int fd, endpoint peer, std::unique_ptr<tls_session> tls,
                       connection_options options)
    : thread_{thread}
    , fd_{fd}
    , peer_{peer}
    , token_{next_token.fetch_add(1)}
    , tls_{std::move(tls)}
    , options_{options} {
  auto set = [&](int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); };
  if (options.user_timeout_ms > 0) set(IPPROTO_TCP, TCP_USER_TIMEOUT, options.user_timeout_ms);
  if (options.kernel_unsent_bytes > 0) set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, options.kernel_unsent_bytes);
}

connection::~connection() {
  if (fd_ >= 0) ::close(fd_);
}

void connection::open(std::shared_ptr<connection_handler> handler) {
  handler_ = std::move(handler);
  last_byte_ms_ = thread_.now_ms();
  update_interest();
  if (!watched_ && !paused_) return close(close_reason::reset);
  if (!tls_) handler_->on_ready(*this);
}

std::string connection::peer_certificate() const { return tls_ ? tls_->peer_certificate() : std::string{}; }

std::string connection::tls_failure() const { return tls_ ? tls_->failure() : std::string{}; }

void connection::update_interest() {
  if (fd_ < 0) return;
  std::uint32_t wanted = 0;
  bool handshaking = tls_ && !tls_->established();
  if ((!paused_ && !ended_ && rest_ == 0) || handshaking) wanted |= EPOLLIN;
  if (written_ < to_write_.size() && !handshaking) wanted |= EPOLLOUT;
  if (handshaking && tls_->has_to_begin()) wanted |= EPOLLOUT;
  // A paused connection is not watched at all: its end cannot be masked, and ending it would throw away what
  // was read from it or waits in the kernel. It is seen when reading goes on.
  if (wanted == 0 && paused_) {
    if (watched_) thread_.unwatch(fd_, this);
    watched_ = false;
    interest_ = 0;
    return;
  }
  if (!watched_) {
    watched_ = thread_.watch(fd_, wanted, this).has_value();
    interest_ = wanted;
    return;
  }
  if (wanted == interest_) return;
  interest_ = wanted;
  thread_.change(fd_, wanted, this);
}

bool connection::handshake() {
  switch (tls_->handshake()) {
  case tls_session::step::done:
    if (tls_->peer_may_use(to_string(peer_.address))) return true;
    close(close_reason::tls);
    return false;
  case tls_session::step::want_read:
    interest_ = EPOLLIN;
    thread_.change(fd_, interest_, this);
    return false;
  case tls_session::step::want_write:
    interest_ = EPOLLIN | EPOLLOUT;
    thread_.change(fd_, interest_, this);
    return false;
  case tls_session::step::ended:
  case tls_session::step::failed:
    close(close_reason::tls);
    return false;
  }
  return false;
}

void connection::on_events(std::uint32_t events) {
  auto keep = shared_from_this();
  if (tls_ && !tls_->established()) {
    if (!handshake()) return;
    interest_ = 0;
    handler_->on_ready(*this);
    if (fd_ < 0) return;
    flush();
    if (fd_ < 0) return;
    update_interest();
    if (!paused_) read_some();
    return;
  }
  if ((events & EPOLLOUT) != 0) flush();
  if (fd_ >= 0 && !paused_ && !ended_ && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read_some();
  if (fd_ < 0 || (events & (EPOLLHUP | EPOLLERR)) == 0) return;
  if (ended_) return close(close_reason::reset);
  if (!paused_) return;
  // Broken while it is paused: nothing can be written any more, but what it has sent is still read.
  no_more_writes_ = true;
  to_write_.clear();
  written_ = 0;
  update_interest();
}

long connection::read_raw(std::byte* into, std::size_t size, bool& end, bool& broken) {
  if (tls_) {
    std::size_t count = 0;
    switch (tls_->read(into, size, count)) {
    case tls_session::step::done:
      return static_cast<long>(count);
    case tls_session::step::ended:
      end = true;
      return 0;
    case tls_session::step::failed:
      broken = true;
      return 0;
    default:
      return 0;
    }
  }
  auto got = ::recv(fd_, into, size, 0);
  if (got > 0) return got;
  if (got == 0)
    end = true;
  else if (errno != EAGAIN && errno != EINTR)
    broken = true;
  return 0;
}

void connection::read_some() {
  do {
    bool end = false;
    bool broken = false;
    auto got = read_raw(thread_.read_buffer(), read_at_once_bytes, end, broken);
    if (got > 0) {
      last_byte_ms_ = thread_.now_ms();
      if (!offer({thread_.read_buffer(), static_cast<std::size_t>(got)})) return;
    }
    if (broken) return close(tls_ ? close_reason::tls : close_reason::reset);
    if (end) return peer_ended();
  } while (tls_ && fd_ >= 0 && !paused_ && tls_->has_pending());
  rest_if_busy();
}

void connection::rest_if_busy() {
  auto since_ms = thread_.now_ms() - last_read_ms_;
  last_read_ms_ = thread_.now_ms();
  if (fd_ < 0 || rest_ != 0 || since_ms >= options_.read_interval_ms) return;
  rest_ = thread_.after(options_.read_interval_ms, [this] {
    rest_ = 0;
    update_interest();
  });
  update_interest();
}

bool connection::offer(byte_view fresh) {
  offering_ = true;
  std::size_t used = 0;
  std::size_t total = 0;
  if (left_over_.empty()) {
    total = fresh.size();
    used = handler_->on_data(*this, fresh);
    if (fd_ >= 0 && used < total) left_over_.assign(fresh.begin() + static_cast<long>(used), fresh.end());
  } else {
    left_over_.insert(left_over_.end(), fresh.begin(), fresh.end());
    total = left_over_.size();
    used = handler_->on_data(*this, left_over_);
    left_over_.erase(left_over_.begin(), left_over_.begin() + static_cast<long>(used));
    // What one large frame needed is not kept for as long as the connection lives.
    if (left_over_.empty() && left_over_.capacity() > kept_buffer_bytes) left_over_.shrink_to_fit();
  }
  offering_ = false;
  if (fd_ >= 0 && left_over_.size() > left_over_limit_bytes) close(close_reason::by_us);
  return fd_ >= 0;
}

void connection::peer_ended() {
  ended_ = true;
  update_interest();
  handler_->on_end(*this);
  if (fd_ >= 0) {
    if (written_ < to_write_.size())
      close_when_written_ = true;
    else
      close(close_reason::by_peer);
  }
}

bool connection::send(byte_view frame) {
  if (fd_ < 0 || no_more_writes_) return false;
  if (to_write_.size() - written_ + frame.size() > options_.write_limit_bytes) return false;
  to_write_.insert(to_write_.end(), frame.begin(), frame.end());
  if (!tls_ || tls_->established()) flush();
  return true;
}

long connection::write_raw(const std::byte* from, std::size_t size, bool& broken) {
  if (tls_) {
    std::size_t count = 0;
    switch (tls_->write(from, size, count)) {
    case tls_session::step::done:
      return static_cast<long>(count);
    case tls_session::step::ended:
    case tls_session::step::failed:
      broken = true;
      return 0;
    default:
      return 0;
    }
  }
  auto put = ::send(fd_, from, size, MSG_NOSIGNAL);
  if (put >= 0) return put;
  broken = errno != EAGAIN && errno != EINTR;
  return 0;
}

void connection::flush() {
  bool progress = false;
  bool waited = stuck_ != 0;
  while (fd_ >= 0 && written_ < to_write_.size()) {
    bool broken = false;
    auto put = write_raw(to_write_.data() + written_, to_write_.size() - written_, broken);
    if (broken) {
      // What the peer sent before it went is still read; only a connection without such bytes ends at once.
      no_more_writes_ = true;
      to_write_.clear();
      written_ = 0;
      if (ended_ || close_when_written_) return close(close_reason::reset);
      break;
    }
    if (put <= 0) break;
    written_ += static_cast<std::size_t>(put);
    progress = true;
  }
  bool all = written_ == to_write_.size();
  if (all) {
    to_write_.clear();
    if (to_write_.capacity() > kept_buffer_bytes) to_write_.shrink_to_fit();
    written_ = 0;
  }
  if (stuck_ != 0 && (progress || all)) {
    thread_.cancel(stuck_);
    stuck_ = 0;
  }
  if (!all && stuck_ == 0) {
    stuck_ = thread_.after(options_.write_stuck_ms, [this] {
      stuck_ = 0;
      close(close_reason::stuck_writing);
    });
  }
  if (all && fd_ >= 0) {
    if (close_when_written_) return close(ended_ ? close_reason::by_peer : close_reason::by_us);
    if (no_more_writes_ && !shut_) {
      shut_ = true;
      ::shutdown(fd_, SHUT_WR);
    }
  }
  update_interest();
  if (all && waited && fd_ >= 0 && !no_more_writes_) handler_->on_drained(*this);
}

void connection::pause() {
  paused_ = true;
  update_interest();
}

void connection::resume() {
  if (!paused_ || fd_ < 0) return;
  paused_ = false;
  auto keep = shared_from_this();
  update_interest();
  if (offering_) return;
  if (!left_over_.empty() && !offer({})) return;
  if (tls_ && tls_->established() && !paused_ && tls_->has_pending()) read_some();
}

bool connection::read_what_is_there() {
  auto keep = shared_from_this();
  if (tls_) return true;
  for (int i = 0; i < last_reads && fd_ >= 0 && !paused_ && !ended_; ++i) {
    bool end = false;
    bool broken = false;
    auto got = read_raw(thread_.read_buffer(), read_at_once_bytes, end, broken);
    if (got <= 0) return true;
    last_byte_ms_ = thread_.now_ms();
    if (!offer({thread_.read_buffer(), static_cast<std::size_t>(got)})) return true;
  }
  return fd_ < 0 || ended_;
}

void connection::half_close() {
  if (fd_ < 0 || no_more_writes_) return;
  no_more_writes_ = true;
  flush();
}

void connection::close_after_write() {
  close_when_written_ = true;
  auto keep = shared_from_this();
  flush();
}

void connection::close(close_reason reason) {
  if (fd_ < 0) return;
  auto keep = shared_from_this();
  if (tls_ && reason != close_reason::reset && reason != close_reason::tls) tls_->shutdown();
  thread_.unwatch(fd_, this);
  ::close(fd_);
  fd_ = -1;
  if (deadline_ != 0) thread_.cancel(deadline_);
  if (stuck_ != 0) thread_.cancel(stuck_);
  if (rest_ != 0) thread_.cancel(rest_);
  deadline_ = stuck_ = rest_ = 0;
  thread_.retire(keep);
  if (handler_) handler_->on_closed(*this, reason);
}

void connection::set_deadline(std::int64_t limit_ms) {
  if (deadline_ != 0) thread_.cancel(deadline_);
  deadline_ = 0;
  ++deadlines_set_;
  if (limit_ms <= 0 || fd_ < 0) return;
  deadline_ = thread_.after(limit_ms, [this, limit_ms] {
    deadline_ = 0;
    if (paused_) return set_deadline(limit_ms);
    // What has come in the last moment may be what was waited for.
    auto keep = shared_from_this();
    auto before = deadlines_set_;
    read_what_is_there();
    if (deadlines_set_ == before) close(close_reason::deadline);
  });
}

} // namespace picket::net
