#include "cluster-tests/agentsim/socket.hpp"

#include "base/time.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace picket::agentsim {

namespace {

bool wait_for(int fd, short events, std::int64_t deadline_ms) noexcept {
  for (;;) {
    auto left = deadline_ms - steady_clock_ms();
    if (left < 0) left = 0;
    pollfd one{fd, events, 0};
    int n = poll(&one, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return false;
    if (steady_clock_ms() >= deadline_ms) return false;
  }
}

} // namespace

result<socket_address> resolve(std::string_view host_and_port) {
  auto colon = host_and_port.rfind(':');
  std::string where{host_and_port};
  if (colon == std::string_view::npos) return fail(errc::invalid_argument, "no port in the address", where);
  std::string host{host_and_port.substr(0, colon)};
  std::string port{host_and_port.substr(colon + 1)};
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (int rc = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); rc != 0)
    return fail(errc::not_found, std::string{"cannot find the address: "} + gai_strerror(rc), where);
  socket_address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

result<socket_address> source_address(std::string_view first, std::uint32_t count) {
  in_addr parsed{};
  std::string text{first};
  if (inet_pton(AF_INET, text.c_str(), &parsed) != 1)
    return fail(errc::invalid_argument, "a source address must be a numeric IPv4 address", text);
  socket_address address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(ntohl(parsed.s_addr) + count);
  address.size = sizeof v4;
  return address;
}

void file_descriptor::reset() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

result<file_descriptor> begin_connect(const socket_address& to, const socket_address* from) {
  file_descriptor fd{::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return fail(errc::io, "cannot make a socket: " + system_text(errno));
  int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (from != nullptr) {
    setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&from->storage), from->size) != 0)
      return fail(errc::io, "cannot use the source address: " + system_text(errno));
  }
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0
      && errno != EINPROGRESS)
    return fail(errc::io, "cannot connect: " + system_text(errno));
  return fd;
}

int connect_outcome(int fd) noexcept {
  int number = 0;
  socklen_t size = sizeof number;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return errno;
  return number;
}

bool wait_readable(int fd, std::int64_t deadline_ms) noexcept { return wait_for(fd, POLLIN, deadline_ms); }
bool wait_writable(int fd, std::int64_t deadline_ms) noexcept { return wait_for(fd, POLLOUT, deadline_ms); }

std::size_t unacknowledged_bytes(int fd) noexcept {
  int bytes = 0;
  if (ioctl(fd, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

} // namespace picket::agentsim
