#include "net/proxy_greeting.hpp"

#include <cerrno>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::net {

proxy_greeting::proxy_greeting(io_thread& thread, int fd, endpoint balancer, done on_done)
    : thread_{thread}
    , fd_{fd}
    , balancer_{balancer}
    , on_done_{std::move(on_done)} {}

proxy_greeting::~proxy_greeting() {
  if (fd_ >= 0) ::close(fd_);
}

void proxy_greeting::start(std::int64_t limit_ms) {
  auto keep = shared_from_this();
  // Most balancers send it with the connection, so it is often there already.
  if (auto how = read()) return finish(*how);
  watched_ = thread_.watch(fd_, EPOLLIN, this).has_value();
  if (!watched_) return finish(outcome::gone);
  limit_ = thread_.after(limit_ms, [this] {
    limit_ = 0;
    auto alive = shared_from_this();
    // What has come in the last moment may be what was waited for.
    finish(read().value_or(outcome::late));
  });
}

void proxy_greeting::on_events(std::uint32_t) {
  auto keep = shared_from_this();
  if (auto how = read()) finish(*how);
}

std::optional<proxy_greeting::outcome> proxy_greeting::read() {
  for (;;) {
    // Looked at first and taken then: how much of it is the header shows only when that is complete.
    auto* into = thread_.read_buffer();
    auto got = ::recv(fd_, into, max_proxy_header_bytes, MSG_PEEK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return std::nullopt;
    if (got <= 0) return kept_.empty() ? outcome::gone : outcome::bad;
    auto before = kept_.size();
    kept_.insert(kept_.end(), into, into + got);
    auto parsed = parse_proxy_header(kept_);
    if (parsed.status == proxy_status::bad) return outcome::bad;
    auto taken = static_cast<std::size_t>(got);
    if (parsed.status == proxy_status::complete) taken = parsed.consumed - before;
    if (::recv(fd_, into, taken, 0) != static_cast<ssize_t>(taken)) return outcome::gone;
    if (parsed.status != proxy_status::complete) continue;
    header_ = parsed.header;
    return outcome::complete;
  }
}

int proxy_greeting::release() noexcept { return std::exchange(fd_, -1); }

void proxy_greeting::finish(outcome how) {
  if (limit_ != 0) thread_.cancel(std::exchange(limit_, 0));
  if (std::exchange(watched_, false)) thread_.unwatch(fd_, this);
  thread_.retire(shared_from_this());
  std::exchange(on_done_, {})(*this, how);
}

void proxy_greeting::abandon() {
  if (limit_ != 0) thread_.cancel(std::exchange(limit_, 0));
  if (std::exchange(watched_, false)) thread_.unwatch(fd_, this);
  on_done_ = {};
  thread_.retire(shared_from_this());
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

} // namespace picket::net
