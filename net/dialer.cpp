#include "net/dialer.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::net {

dialer::dialer(io_thread& thread, options opts, taker take)
    : thread_{thread}
    , options_{std::move(opts)}
    , take_{std::move(take)} {}

dialer::~dialer() {
  if (fd_ >= 0) ::close(fd_);
}

std::shared_ptr<dialer> dialer::dial(io_thread& thread, options opts, taker take) {
  std::shared_ptr<dialer> self{new dialer{thread, std::move(opts), std::move(take)}};
  self->begin();
  return self;
}

void dialer::begin() {
  auto limit_ms = options_.limit_ms;
  fd_ =
      ::socket(options_.where.address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  auto length = to_sockaddr(options_.where, address);
  int failure = 0;
  if (fd_ < 0)
    failure = errno;
  else if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), length) != 0 && errno != EINPROGRESS)
    failure = errno;
  else if (!thread_.watch(fd_, EPOLLOUT, this))
    failure = EMFILE;
  watched_ = failure == 0;
  auto keep = shared_from_this();
  // Also a failure that is known at once is told later: the caller is not ready for it yet.
  timer_ = thread_.after(failure == 0 ? limit_ms : 0, [keep, failure, limit_ms] {
    keep->timer_ = 0;
    if (failure != 0) return keep->refused(failure);
    keep->finish(fail(errc::timeout, "no connection within " + std::to_string(limit_ms) + " ms",
                      to_string(keep->options_.where)));
  });
}

void dialer::refused(int error_number) {
  finish(fail(errc::io, "cannot connect: " + system_text(error_number), to_string(options_.where),
              "look whether the other node runs and its port can be reached"));
}

void dialer::on_events(std::uint32_t) {
  int failure = 0;
  socklen_t size = sizeof failure;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &size);
  if (failure != 0) return refused(failure);
  auto keep = shared_from_this();
  thread_.unwatch(fd_, this);
  watched_ = false;
  int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  std::unique_ptr<tls_session> tls;
  if (options_.tls) tls = std::make_unique<tls_session>(options_.tls, fd_);
  auto fresh =
      std::make_shared<connection>(thread_, fd_, options_.where, std::move(tls), options_.connections);
  fd_ = -1;
  finish(std::move(fresh));
}

void dialer::finish(result<std::shared_ptr<connection>> outcome) {
  auto keep = shared_from_this();
  auto take = std::move(take_);
  cancel();
  if (take) take(std::move(outcome));
}

void dialer::cancel() {
  auto keep = shared_from_this();
  take_ = nullptr;
  if (timer_ != 0) thread_.cancel(timer_);
  timer_ = 0;
  if (watched_) {
    thread_.unwatch(fd_, this);
    thread_.retire(keep);
  }
  watched_ = false;
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

} // namespace picket::net
