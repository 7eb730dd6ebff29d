#include "net/listener.hpp"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::net {

namespace {

constexpr int accepts_a_round = 64;
constexpr std::int64_t retry_after_ms = 100;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

} // namespace

/// Stands between a connection and its handler, so that the listener learns of the end.
class listener::guard final : public connection_handler {
public:
  guard(listener& owner, std::shared_ptr<connection_handler> inner, bool named)
      : owner_{owner}
      , inner_{std::move(inner)}
      , named_{named} {}

  std::size_t on_data(connection& from, byte_view bytes) override { return inner_->on_data(from, bytes); }
  void on_ready(connection& from) override { inner_->on_ready(from); }
  void on_drained(connection& from) override { inner_->on_drained(from); }
  void on_end(connection& from) override { inner_->on_end(from); }
  void on_closed(connection& from, close_reason reason) override {
    inner_->on_closed(from, reason);
    owner_.give_back(from.peer().address, named_);
    owner_.open_.erase(from.token());
  }

private:
  listener& owner_;
  std::shared_ptr<connection_handler> inner_;
  bool named_;
};

result<std::unique_ptr<listener>> listener::open(io_thread& thread, options opts, opener open_connection) {
  int fd =
      ::socket(opts.where.address.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail(errc::io, "cannot create a socket: " + system_text(errno), to_string(opts.where));
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (opts.shared_port) set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  sockaddr_storage address{};
  auto length = to_sockaddr(opts.where, address);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd, opts.backlog) != 0) {
    int problem = errno;
    ::close(fd);
    if (problem == EADDRINUSE)
      return fail(errc::address_in_use, "another program listens there", to_string(opts.where));
    if (problem == EACCES)
      return fail(errc::permission, "the port is reserved", to_string(opts.where),
                  "use a port above 1023, or give the program CAP_NET_BIND_SERVICE");
    return fail(errc::io, "cannot listen: " + system_text(problem), to_string(opts.where),
                "check that the address belongs to this machine");
  }
  std::unique_ptr<listener> self{new listener{thread, fd, std::move(opts), std::move(open_connection)}};
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  self->where_ = from_sockaddr(bound);
  return self;
}

listener::listener(io_thread& thread, int fd, options opts, opener open_connection)
    : thread_{thread}
    , fd_{fd}
    , options_{std::move(opts)}
    , open_connection_{std::move(open_connection)} {}

listener::~listener() {
  if (fd_ >= 0) ::close(fd_);
}

result<void> listener::start() {
  accepting_ = true;
  return thread_.watch(fd_, EPOLLIN, this);
}

void listener::stop() {
  if (retry_ != 0) thread_.cancel(retry_);
  retry_ = 0;
  while (!greetings_.empty())
    end_oldest_greeting();
  if (!accepting_) return;
  accepting_ = false;
  thread_.unwatch(fd_, this);
  ::close(fd_);
  fd_ = -1;
}

void listener::for_each(const std::function<void(connection&)>& visit) {
  std::vector<std::shared_ptr<connection>> all;
  all.reserve(open_.size());
  for (auto& [token, one] : open_)
    all.push_back(one);
  for (auto& one : all)
    if (one->is_open()) visit(*one);
}

connection* listener::find(connection_token token) const {
  auto found = open_.find(token);
  return found == open_.end() ? nullptr : found->second.get();
}

void listener::on_events(std::uint32_t) {
  for (int i = 0; i < accepts_a_round; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    int fd = ::accept4(fd_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      take(fd, from_sockaddr(peer));
      if (fd_ < 0) return;
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) wait_for_descriptors();
    return;
  }
}

void listener::wait_for_descriptors() {
  if (options_.on_refused) options_.on_refused(refusal::no_descriptor, where_.address);
  bool room = make_room(where_.address);
  // Without a descriptor the event would come again at once; look again a little later.
  thread_.change(fd_, 0, this);
  retry_ = thread_.after(room ? 1 : retry_after_ms, [this] {
    retry_ = 0;
    if (accepting_) thread_.change(fd_, EPOLLIN, this);
  });
}

std::optional<refusal> listener::place_for(const ip_address& peer) {
  if (options_.admit)
    if (auto reason = options_.admit(peer)) return reason;
  if (!options_.limits) return std::nullopt;
  using verdict = connection_limits::verdict;
  auto found = options_.limits->take(peer);
  if (found == verdict::too_many && make_room(peer)) found = options_.limits->take(peer, true);
  if (found == verdict::taken) return std::nullopt;
  return found == verdict::too_many ? refusal::total : refusal::address;
}

bool listener::make_room(const ip_address& newcomer) {
  if (options_.make_room && options_.make_room(newcomer)) return true;
  if (greetings_.empty()) return false;
  auto balancer = greetings_.front()->balancer().address;
  end_oldest_greeting();
  if (options_.on_refused) options_.on_refused(refusal::no_proxy_header, balancer);
  return true;
}

bool listener::nameless_place(const ip_address& balancer) {
  if (!options_.limits || options_.limits->take_nameless()) return true;
  return make_room(balancer) && options_.limits->take_nameless(true);
}

void listener::give_back(const ip_address& peer, bool named) {
  if (!options_.limits) return;
  if (named)
    options_.limits->give_back(peer);
  else
    options_.limits->give_back_nameless();
}

void listener::refuse(int fd, refusal reason, const ip_address& from) {
  ::close(fd);
  if (options_.on_refused) options_.on_refused(reason, from);
}

void listener::take(int fd, const endpoint& peer) {
  if (contains(options_.proxies, peer.address)) return greet(fd, peer);
  if (auto reason = place_for(peer.address)) return refuse(fd, *reason, peer.address);
  open_one(fd, peer, true);
}

void listener::greet(int fd, const endpoint& balancer) {
  if (!nameless_place(balancer.address)) return refuse(fd, refusal::total, balancer.address);
  auto place = greetings_.emplace(greetings_.end());
  *place = std::make_shared<proxy_greeting>(thread_, fd, balancer,
                                            [this, place](proxy_greeting& from, proxy_greeting::outcome how) {
                                              greetings_.erase(place);
                                              greeted(from, how);
                                            });
  (*place)->start(options_.proxy_header_ms);
}

void listener::greeted(proxy_greeting& from, proxy_greeting::outcome how) {
  using outcome = proxy_greeting::outcome;
  const auto balancer = from.balancer();
  const auto header = from.header();
  int fd = from.release();
  std::optional<refusal> reason;
  if (how == outcome::bad) reason = refusal::bad_proxy_header;
  if (how == outcome::late) reason = refusal::no_proxy_header;
  if (how != outcome::complete) {
    give_back(balancer.address, false);
    if (reason) return refuse(fd, *reason, balancer.address);
    ::close(fd); // a check that only connects
    return;
  }
  if (!header.names_client) return open_one(fd, balancer, false);
  if (options_.admit) reason = options_.admit(header.client.address);
  if (!reason && options_.limits && !options_.limits->name(header.client.address)) reason = refusal::address;
  if (!reason) return open_one(fd, header.client, true);
  give_back(balancer.address, false);
  refuse(fd, *reason, header.client.address);
}

void listener::end_oldest_greeting() {
  auto oldest = std::move(greetings_.front());
  greetings_.pop_front();
  oldest->abandon();
  give_back(oldest->balancer().address, false);
}

void listener::open_one(int fd, const endpoint& peer, bool named) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  std::unique_ptr<tls_session> tls;
  if (options_.tls) tls = std::make_unique<tls_session>(options_.tls, fd);
  auto fresh = std::make_shared<connection>(thread_, fd, peer, std::move(tls), options_.connections);
  auto inner = open_connection_(*fresh);
  if (!inner) {
    give_back(peer.address, named);
    return; // the connection closes its descriptor
  }
  open_.emplace(fresh->token(), fresh);
  fresh->open(std::make_shared<guard>(*this, std::move(inner), named));
}

} // namespace picket::net
