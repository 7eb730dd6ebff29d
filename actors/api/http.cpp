#include "actors/api/http.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include <httplib.h>

#include "actors/api/http_socket.hpp"
#include "actors/api/problem.hpp"

namespace picket::api {

namespace {

/// The library's pool, but with a bound on what waits: the accepting thread waits for room, so that more
/// connections stay in the kernel's backlog.
class bounded_pool final : public httplib::TaskQueue {
public:
  bounded_pool(std::size_t threads, std::shared_ptr<std::atomic<std::size_t>> open)
      : open_{std::move(open)}
      , limit_{threads * 2}
      , inner_{threads} {}

  void enqueue(std::function<void()> task) override {
    {
      std::unique_lock lock{mutex_};
      room_.wait(lock, [this] { return taken_ < limit_ || ending_; });
      ++taken_;
      open_->store(taken_);
    }
    inner_.enqueue([this, task = std::move(task)] {
      task();
      std::lock_guard lock{mutex_};
      --taken_;
      open_->store(taken_);
      room_.notify_one();
    });
  }

  void shutdown() override {
    {
      std::lock_guard lock{mutex_};
      ending_ = true;
      room_.notify_all();
    }
    inner_.shutdown();
  }

private:
  std::shared_ptr<std::atomic<std::size_t>> open_; ///< the same as `taken_`, for others
  std::size_t limit_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t taken_ = 0;
  bool ending_ = false;
  httplib::ThreadPool inner_;
};

class socket_stream final : public httplib::Stream {
public:
  explicit socket_stream(http_socket& over)
      : over_{over} {}

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* into, size_t size) override { return over_.read(into, size); }
  ssize_t write(const char* from, size_t size) override { return over_.write(from, size); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = over_.peer();
    port = over_.peer_port();
  }
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return over_.fd(); }

private:
  http_socket& over_;
};

/// The connection that this thread serves.
thread_local http_socket* serving = nullptr;

/// The library reads requests and routes them; sockets, TLS and time limits are ours.
class patient_server final : public httplib::Server {
public:
  patient_server(std::shared_ptr<net::tls_context> tls, http_socket_limits limits,
                 std::function<bool()> crowded,
                 std::function<void(std::string_view, const std::string&)> on_refused)
      : tls_{std::move(tls)}
      , limits_{limits}
      , crowded_{std::move(crowded)}
      , on_refused_{std::move(on_refused)} {}

private:
  bool process_and_close_socket(socket_t socket) override {
    http_socket over{socket, tls_, limits_, crowded_};
    socket_stream stream{over};
    serving = &over;
    bool fine = false;
    for (auto left = keep_alive_max_count_; left > 0; --left) {
      if (!over.begin_request(left == keep_alive_max_count_)) break;
      bool closed = false;
      fine = process_request(stream, left == 1, closed, nullptr);
      if (!fine || closed) break;
    }
    serving = nullptr;
    if (over.refused() != nullptr && on_refused_) on_refused_(over.refused(), over.peer());
    return fine;
  }

  std::shared_ptr<net::tls_context> tls_;
  http_socket_limits limits_;
  std::function<bool()> crowded_;
  std::function<void(std::string_view, const std::string&)> on_refused_;
};

http_request convert(const httplib::Request& from) {
  http_request to;
  to.method = from.method;
  to.path = from.path;
  to.query.insert(from.params.begin(), from.params.end());
  to.authorization = from.get_header_value("Authorization");
  to.content_type = from.get_header_value("Content-Type");
  to.body = from.body;
  to.remote = from.remote_addr;
  return to;
}

void convert(http_response from, httplib::Response& to) {
  to.status = from.status;
  to.set_content(std::move(from.body), from.content_type);
}

/// What becomes of a request, of one that is no request, and of one that makes us throw.
void set_handlers(httplib::Server& server, const http_options& options, http_server::gate refuse,
                  http_server::handler handle) {
  server.set_pre_routing_handler([refuse](const httplib::Request& request, httplib::Response& response) {
    if (serving != nullptr) serving->head_is_read();
    http_response answer;
    if (!refuse || !refuse(convert(request), answer)) return httplib::Server::HandlerResponse::Unhandled;
    convert(std::move(answer), response);
    return httplib::Server::HandlerResponse::Handled;
  });
  // What the library refuses by itself (no HTTP, a body or a line that is too long) gets our form of error as
  // well.
  server.set_error_handler([told = options.on_refused](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    // Before the socket itself has found a reason, which it tells.
    if (told && serving != nullptr && serving->refused() == nullptr && response.status / 100 == 4)
      told("bad_request", serving->peer());
    convert(problem(response.status), response);
  });
  server.set_exception_handler([](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
    convert(problem(500), response);
  });
  auto serve = [handle](const httplib::Request& request, httplib::Response& response) {
    convert(handle(convert(request)), response);
  };
  server.Get(".*", serve).Post(".*", serve).Put(".*", serve).Delete(".*", serve).Patch(".*", serve);
  server.Options(".*", serve);
}

} // namespace

struct http_server::impl {
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  net::endpoint where;
  std::shared_ptr<std::atomic<std::size_t>> open = std::make_shared<std::atomic<std::size_t>>(0);
};

http_server::http_server(std::unique_ptr<impl> state)
    : impl_{std::move(state)} {}
http_server::~http_server() { stop(); }
const net::endpoint& http_server::where() const noexcept { return impl_->where; }
std::size_t http_server::open_requests() const noexcept { return impl_->open->load(); }

void http_server::stop() {
  if (!impl_->thread.joinable()) return;
  impl_->server->stop();
  impl_->thread.join();
}

result<std::unique_ptr<http_server>> http_server::start(http_options options, gate refuse, handler handle) {
  auto state = std::make_unique<impl>();
  auto place = net::to_string(options.where);
  std::shared_ptr<net::tls_context> tls;
  if (!options.certificate_file.empty()) {
    net::tls_options files;
    files.certificate_file = options.certificate_file;
    files.key_file = options.key_file;
    auto context = net::tls_context::server(files);
    if (!context) return tl::unexpected<error>(context.error());
    tls = std::move(*context);
  }
  http_socket_limits limits;
  limits.body_bytes = options.body_limit_bytes + limits.head_bytes; // chunks have heads of their own
  state->server = std::make_unique<patient_server>(
      std::move(tls), limits,
      [open = state->open, threads = options.threads] { return open->load() > threads; }, options.on_refused);
  auto& server = *state->server;
  server.set_payload_max_length(options.body_limit_bytes);
  server.set_tcp_nodelay(true);
  server.new_task_queue = [threads = options.threads, open = state->open] {
    return new bounded_pool{threads, open};
  };
  set_handlers(server, options, std::move(refuse), std::move(handle));
  // The library's default sets SO_REUSEPORT, with which two nodes could share the port without a word.
  server.set_socket_options([](socket_t socket) {
    int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  auto host = net::to_string(options.where.address);
  int port = options.where.port;
  if (port == 0)
    port = server.bind_to_any_port(host);
  else if (!server.bind_to_port(host, port))
    port = -1;
  if (port <= 0) return fail(errc::address_in_use, "cannot listen", place);
  state->where = {options.where.address, static_cast<std::uint16_t>(port)};
  state->thread = std::thread{[&server] { server.listen_after_bind(); }};
  while (!server.is_running())
    std::this_thread::yield();
  return std::unique_ptr<http_server>{new http_server{std::move(state)}};
}

} // namespace picket::api
