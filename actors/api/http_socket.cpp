#include "actors/api/http_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.hpp"
#include "net/address.hpp"

namespace picket::api {

namespace {

constexpr std::size_t block_bytes = 16 * 1024;
constexpr std::int64_t look_again_ms = 50; ///< whether others have come meanwhile

} // namespace

http_socket::http_socket(int fd, std::shared_ptr<net::tls_context> tls, http_socket_limits limits,
                         std::function<bool()> crowded)
    : fd_{fd}
    , context_{std::move(tls)}
    , limits_{limits}
    , crowded_{std::move(crowded)}
    , began_ms_{steady_clock_ms()} {
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    auto peer = net::from_sockaddr(address);
    peer_ = net::to_string(peer.address);
    peer_port_ = peer.port;
  }
  if (context_) tls_ = std::make_unique<net::tls_session>(context_, fd_);
}

http_socket::~http_socket() {
  if (tls_) tls_->shutdown();
  ::shutdown(fd_, SHUT_RDWR);
  ::close(fd_);
}

std::int64_t http_socket::deadline_ms() const {
  if (!in_head_) return began_ms_ + limits_.body_ms;
  return began_ms_ + (crowded_() ? limits_.crowded_head_ms : limits_.head_ms);
}

bool http_socket::wait(short events) {
  for (;;) {
    auto left_ms = deadline_ms() - steady_clock_ms();
    if (left_ms <= 0) {
      if (events == POLLIN) refused_ = "slow"; // one that takes its answer slowly was served
      return false;
    }
    pollfd one{fd_, events, 0};
    auto ready = ::poll(&one, 1, static_cast<int>(std::min(left_ms, look_again_ms)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool http_socket::handshake() {
  if (!tls_ || tls_->established()) return true;
  for (;;) {
    switch (tls_->handshake()) {
    case net::tls_session::step::done:
      return true;
    case net::tls_session::step::want_read:
      if (!wait(POLLIN)) return false;
      break;
    case net::tls_session::step::want_write:
      if (!wait(POLLOUT)) return false;
      break;
    default:
      refused_ = "handshake";
      return false;
    }
  }
}

bool http_socket::begin_request(bool first) {
  began_ms_ = steady_clock_ms();
  in_head_ = true;
  read_bytes_ = 0;
  if (!handshake()) return false;
  if (taken_ < buffer_.size()) return true;
  const auto until_ms = began_ms_ + (first ? limits_.head_ms : limits_.idle_ms);
  while (!tls_ || !tls_->has_pending()) {
    auto left_ms = until_ms - steady_clock_ms();
    if (crowded_()) left_ms = std::min(left_ms, first ? deadline_ms() - steady_clock_ms() : 0);
    if (left_ms <= 0) return false;
    pollfd one{fd_, POLLIN, 0};
    auto ready = ::poll(&one, 1, static_cast<int>(std::min(left_ms, look_again_ms)));
    if (ready > 0) break;
    if (ready < 0 && errno != EINTR) return false;
  }
  if (!first) began_ms_ = steady_clock_ms();
  return true;
}

void http_socket::head_is_read() {
  in_head_ = false;
  read_bytes_ = 0;
  began_ms_ = steady_clock_ms();
}

/// Waits for bytes and puts them into the buffer.
ssize_t http_socket::fill() {
  buffer_.resize(block_bytes);
  taken_ = 0;
  ssize_t result = -1;
  while (result < 0) {
    short waits_for = POLLIN;
    if (tls_) {
      std::size_t count = 0;
      auto step = tls_->read(reinterpret_cast<std::byte*>(buffer_.data()), buffer_.size(), count);
      if (step == net::tls_session::step::done) result = static_cast<ssize_t>(count);
      if (step == net::tls_session::step::ended) result = 0;
      if (step == net::tls_session::step::failed) break;
      if (step == net::tls_session::step::want_write) waits_for = POLLOUT;
    } else {
      result = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
      if (result < 0 && errno != EAGAIN && errno != EINTR) break;
    }
    if (result < 0 && !wait(waits_for)) break;
  }
  buffer_.resize(static_cast<std::size_t>(std::max<ssize_t>(result, 0)));
  return result;
}

ssize_t http_socket::read(char* into, std::size_t size) {
  if (taken_ == buffer_.size()) {
    auto got = fill();
    if (got <= 0) return got;
  }
  auto count = std::min(size, buffer_.size() - taken_);
  read_bytes_ += count;
  if (read_bytes_ > (in_head_ ? limits_.head_bytes : limits_.body_bytes)) {
    refused_ = "too_large";
    return -1;
  }
  std::memcpy(into, buffer_.data() + taken_, count);
  taken_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t http_socket::write_some(const char* from, std::size_t size) {
  for (;;) {
    short waits_for = POLLOUT;
    if (tls_) {
      std::size_t count = 0;
      auto step = tls_->write(reinterpret_cast<const std::byte*>(from), size, count);
      if (step == net::tls_session::step::done) return static_cast<ssize_t>(count);
      if (step == net::tls_session::step::ended || step == net::tls_session::step::failed) return -1;
      if (step == net::tls_session::step::want_read) waits_for = POLLIN;
    } else {
      auto put = ::send(fd_, from, size, MSG_NOSIGNAL);
      if (put >= 0) return put;
      if (errno != EAGAIN && errno != EINTR) return -1;
    }
    if (!wait(waits_for)) return -1;
  }
}

ssize_t http_socket::write(const char* from, std::size_t size) {
  if (in_head_) head_is_read(); // the answer to what could not be read as a request
  for (std::size_t done = 0; done < size;) {
    auto put = write_some(from + done, size - done);
    if (put < 0) return -1;
    done += static_cast<std::size_t>(put);
  }
  return static_cast<ssize_t>(size);
}

} // namespace picket::api
